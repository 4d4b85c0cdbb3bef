-- Programmes that the household did not apply for, whose tests its figures answer too: for referral, nothing is decided.
WITH told AS (
    SELECT
        s.request_id, s.programme, t.programme_zh, t.programme_en,
        list(struct_pack(
            cites := t.cites,
            example := t.example,
            figure := s.figure,
            formula := t.formula,
            "limit" := s.limit_total,
            limit_value := t.limit_value,
            op := t.op,
            result := s.result,
            scale := t.scale,
            test := s.test,
            title := struct_pack(en := t.title_en, zh := t.title_zh),
            unit := t.unit,
            "value" := struct_pack(high := s.high, low := s.low)
        ) ORDER BY item_order(s.figure), s.test) AS tests
    FROM suitable_tests AS s
    JOIN policy_suitable AS t USING (policy_id, programme, test)
    GROUP BY ALL
)
SELECT place, row_number() OVER (PARTITION BY place ORDER BY programme) AS seq, to_json(struct_pack(
    limits := limits,
    programme := struct_pack(en := programme_en, id := programme, zh := programme_zh),
    tests := tests
)) AS body
FROM told
JOIN suitable USING (request_id, programme)
JOIN places USING (request_id)
