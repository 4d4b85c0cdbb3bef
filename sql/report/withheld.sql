-- Per household: what an ended authorisation keeps out of the report; counts only.
SELECT request_id, '[' || string_agg(to_json(struct_pack(
    dataset := dataset,
    items := items,
    member := member_no,
    reason := reason
)), ',' ORDER BY member_no, dataset, reason) || ']' AS withheld
FROM withheld GROUP BY request_id
