-- Per household: of each source and member, whether it answered and as of when.
SELECT request_id, '[' || string_agg(to_json(struct_pack(
    as_of := as_of,
    dataset := dataset,
    "extract" := substr(extract_digest, 1, 16),
    member := member_no,
    quarantined := quarantined_rows,
    requirement := requirement,
    state := state
)), ',' ORDER BY dataset, member_no) || ']' AS coverage
FROM member_coverage GROUP BY request_id
