-- Per household: each test, its limit, the figure's interval and the result.
SELECT request_id, '[' || string_agg(to_json(struct_pack(
    cites := cites,
    example := example,
    figure := figure,
    formula := formula,
    "limit" := limit_total,
    limit_value := limit_value,
    op := op,
    result := result,
    scale := scale,
    test := test,
    title := struct_pack(en := title_en, zh := title_zh),
    unit := unit,
    value := struct_pack(high := high, low := low)
)), ',' ORDER BY test) || ']' AS tests
FROM tests GROUP BY request_id
