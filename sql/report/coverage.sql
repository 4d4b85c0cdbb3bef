-- Of each source and member: whether it answered, as of when, by which extract, and how many rows could not be read.
SELECT place, dataset_no * 1000 + member_no AS seq, to_json(struct_pack(
    as_of := as_of,
    dataset := dataset,
    "extract" := extract_id(extract_digest),
    member := member_no,
    quarantined := quarantined_rows,
    state := state
)) AS body
FROM member_coverage
JOIN places USING (request_id)
JOIN dataset_order USING (dataset)
