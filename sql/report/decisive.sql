-- The facts or missing sources that would change a test's result, largest first, by the number of their item.
SELECT
    place,
    row_number() OVER (PARTITION BY place ORDER BY item_order(test), test, rank, item_no) AS seq,
    to_json(struct_pack(
        amount := amount,
        dataset := dataset,
        item := item_no,
        item_kind := nullif(item_kind, 'source'),
        kind := kind,
        member := member_no,
        rank := rank,
        test := test
    )) AS body
FROM decisive
JOIN places USING (request_id)
