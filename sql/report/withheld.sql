-- What an ended authorisation keeps out of the report; counts only.
SELECT
    place,
    row_number() OVER (PARTITION BY place ORDER BY member_no, dataset, reason) AS seq,
    to_json(struct_pack(dataset := dataset, items := items, member := member_no, reason := reason)) AS body
FROM withheld
JOIN places USING (request_id)
