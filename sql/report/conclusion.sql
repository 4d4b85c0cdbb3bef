-- Per household: the two answers, and every reason for a person to look, with its evidence.
WITH reasons AS (
    SELECT request_id, string_agg(to_json(struct_pack(
        code := code,
        dataset := CASE WHEN code <> 'material_difference' THEN dataset END,
        en := en,
        facts := list_transform(coalesce(facts, []), lambda f: struct_pack(
            "extract" := substr(f.extract_digest, 1, 16), "row" := f.row_no, row_digest := f.row_digest)),
        item := CASE WHEN code = 'material_difference' THEN dataset END,
        member := member_no,
        rule := rule,
        zh := zh
    )), ',' ORDER BY code, member_no, dataset, to_json(facts)) AS review
    FROM review JOIN review_texts USING (code)
    GROUP BY request_id
)
SELECT request_id, concat(
    '{"declaration":"', declaration, '","limits":"', limits, '","review":[', review, ']}'
) AS conclusion
FROM conclusions LEFT JOIN reasons USING (request_id)
