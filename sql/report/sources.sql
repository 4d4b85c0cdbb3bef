-- Per household: the sources of its programme with their names, and every extract that its report refers to.
WITH asked AS (
    SELECT DISTINCT request_id, dataset FROM member_coverage
),
named AS (
    SELECT request_id, list(struct_pack(
        dataset := dataset,
        provider := struct_pack(en := provider_en, zh := provider_zh),
        title := struct_pack(en := title_en, zh := title_zh)
    ) ORDER BY dataset) AS sources
    FROM asked JOIN dataset_texts USING (dataset)
    GROUP BY request_id
),
referred AS (
    SELECT request_id, dataset, extract_digest FROM member_coverage WHERE extract_digest IS NOT NULL
    UNION
    SELECT request_id, fact.dataset, fact.extract_digest FROM (
        SELECT request_id, unnest(facts) AS fact FROM income_items
        UNION ALL
        SELECT request_id, unnest(facts) FROM asset_items
        UNION ALL
        SELECT request_id, unnest(facts) FROM review
    )
),
numbered AS (
    SELECT request_id, list(struct_pack(
        dataset := dataset, digest := extract_digest, id := substr(extract_digest, 1, 16)
    ) ORDER BY dataset, extract_digest) AS extracts
    FROM referred GROUP BY request_id
)
SELECT request_id, to_json(sources) AS sources, to_json(coalesce(extracts, [])) AS extracts
FROM named LEFT JOIN numbered USING (request_id)
