-- Per household: the facts or missing sources that would change a test's result, largest first.
SELECT request_id, to_json(list(struct_pack(
    amount := amount,
    dataset := dataset,
    item_kind := item_kind,
    item_no := item_no,
    kind := kind,
    member := member_no,
    rank := rank,
    test := test
) ORDER BY test, rank, item_kind, item_no, dataset, member_no)) AS decisive
FROM decisive GROUP BY request_id
