-- Each test: its limit, the figure's interval and the result.
SELECT place, row_number() OVER (PARTITION BY place ORDER BY item_order(figure), test) AS seq, to_json(struct_pack(
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
)) AS body
FROM tests
JOIN places USING (request_id)
