-- Of each source and member: whether it answered, as of when, by which extract, and how many rows could not be read.
-- Members of whom a source says the same stand together.
WITH alike AS (
    SELECT place, dataset_no, dataset, state, as_of, extract_digest, quarantined_rows, list_sort(list(member_no)) AS members
    FROM member_coverage
    JOIN places USING (request_id)
    JOIN dataset_order USING (dataset)
    GROUP BY ALL
)
SELECT place, dataset_no * 1000 + members[1] AS seq, to_json(struct_pack(
    as_of := as_of,
    dataset := dataset,
    "extract" := extract_id(extract_digest),
    members := members,
    quarantined := quarantined_rows,
    state := state
)) AS body
FROM alike
