-- The facts or missing sources that would change a test's result, largest first, by the number of their item.
WITH items AS (
    SELECT request_id, 'income' AS item_kind, item_no, member_no, dataset, period_from, period_to, facts FROM income_items
    UNION ALL
    SELECT request_id, 'asset', item_no, member_no, dataset, NULL, NULL, facts FROM asset_items
),
numbered AS (
    -- an item has the facts of several months: the one that holds this fact
    SELECT d.*, i.item_no
    FROM decisive AS d
    LEFT JOIN items AS i
        ON i.request_id = d.request_id AND i.item_kind = d.item_kind AND i.member_no = d.member_no AND i.dataset = d.dataset
        AND list_has_all(i.facts, d.facts)
        AND (i.period_from IS NULL OR d.period_from >= i.period_from AND d.period_from < i.period_to)
    QUALIFY row_number() OVER (PARTITION BY d.request_id, d.test, d.rank ORDER BY i.item_no) = 1
)
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
FROM numbered
JOIN places USING (request_id)
