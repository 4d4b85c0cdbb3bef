-- What each member's sources answered. A source that failed its quality gate is as if it had not answered (R1);
-- an authorisation that ended since takes its answers out of use (R30, R31).
SELECT
  a.request_id, a.member_no, a.dataset, s.requirement,
  CASE
    WHEN e.request_id IS NOT NULL AND a.state = 'ask' THEN 'not_authorised'
    WHEN a.state <> 'ask' THEN a.state
    WHEN g.dataset IS NOT NULL THEN 'unavailable'
    ELSE COALESCE(c.state, 'unavailable')
  END AS state,
  e.request_id IS NOT NULL AND a.state = 'ask' AS withheld,
  e.reason AS withheld_reason,
  c.as_of, c.extract_digest,
  COALESCE(c.quarantined_rows, 0) AS quarantined_rows
FROM queries a
JOIN requests r USING (request_id)
JOIN policy_sources s ON s.policy_id = r.policy_id AND s.dataset = a.dataset
LEFT JOIN coverage c ON c.dataset = a.dataset AND c.person = a.person
LEFT JOIN failed_gates g ON g.dataset = a.dataset
LEFT JOIN ended_authorisations e ON e.request_id = a.request_id AND e.member_no = a.member_no
