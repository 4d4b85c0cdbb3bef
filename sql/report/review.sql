-- Every reason for a person to look, in words, with its evidence.
SELECT
    place,
    row_number() OVER (PARTITION BY place ORDER BY code, member_no, dataset, facts) AS seq,
    to_json(struct_pack(
        code := code,
        dataset := CASE WHEN code <> 'material_difference' THEN dataset END,
        en := en,
        facts := list_transform(coalesce(facts, []), lambda f: struct_pack(
            "extract" := extract_id(f.extract_digest), "row" := f.row_no, row_digest := f.row_digest)),
        item := CASE WHEN code = 'material_difference' THEN dataset END,
        member := member_no,
        rule := rule,
        zh := zh
    )) AS body
FROM review
JOIN places USING (request_id)
JOIN review_texts USING (code)
