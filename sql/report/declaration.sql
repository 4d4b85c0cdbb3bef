-- What was declared against what was found.
SELECT place, item_order(item) AS seq, to_json(struct_pack(
    declared := declared,
    declared_at_all := declared_at_all,
    found := struct_pack(high := high, low := low),
    item := item,
    material := material,
    result := result,
    tolerance := tolerance
)) AS body
FROM declaration
JOIN places USING (request_id)
