-- Per household: the sources of its programme with their names, and every extract that its report refers to.
WITH asked AS (
    SELECT DISTINCT request_id, dataset FROM member_coverage
),
source_rows AS (
    SELECT dataset, to_json(struct_pack(
        dataset := dataset,
        provider := struct_pack(en := provider_en, zh := provider_zh),
        title := struct_pack(en := title_en, zh := title_zh)
    )) AS source
    FROM dataset_texts
),
named AS (
    SELECT request_id, string_agg(source, ',' ORDER BY dataset) AS sources
    FROM asked JOIN source_rows USING (dataset)
    GROUP BY request_id
),
evidence AS (
    SELECT request_id, unnest(facts) AS fact FROM income_items
    UNION ALL
    SELECT request_id, unnest(facts) FROM asset_items
    UNION ALL
    SELECT request_id, unnest(facts) FROM review
),
referred AS (
    SELECT request_id, dataset, extract_digest FROM member_coverage WHERE extract_digest IS NOT NULL
    UNION
    SELECT request_id, fact.dataset, fact.extract_digest FROM evidence
),
extracts AS (
    SELECT request_id, string_agg(to_json(struct_pack(
        dataset := dataset, digest := extract_digest, id := substr(extract_digest, 1, 16)
    )), ',' ORDER BY dataset, extract_digest) AS extracts
    FROM referred GROUP BY request_id
)
SELECT request_id, concat('[', sources, ']') AS sources, concat('[', extracts, ']') AS extracts
FROM named LEFT JOIN extracts USING (request_id)
