-- R12: the same ID number under another name.
WITH found AS (
  SELECT request_id, member_no, dataset, UNNEST(facts) AS fact FROM income_lines WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, facts[1].dataset, UNNEST(facts) FROM assets WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset,
    {'dataset': dataset, 'extract_digest': extract_digest, 'row_no': row_no, 'row_digest': row_digest}
  FROM member_statuses_found
  WHERE name_differs
)
SELECT request_id, 'identity_conflict' AS code, 'R12' AS rule, member_no, dataset, LIST(fact ORDER BY fact) AS facts
FROM found
GROUP BY request_id, member_no, dataset
