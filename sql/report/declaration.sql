-- Per household: what was declared against what was found.
SELECT request_id, '[' || string_agg(to_json(struct_pack(
    declared := declared,
    declared_at_all := declared_at_all,
    found := struct_pack(high := high, low := low),
    item := item,
    material := material,
    result := result,
    tolerance := tolerance
)), ',' ORDER BY item) || ']' AS declaration
FROM declaration GROUP BY request_id
