-- R53: vehicles that the pack leaves out by their use. Where it wants evidence, a record that answers for the use must
-- hold on the reference date: the vehicle's operating licence, or a counted member's disability.
WITH evidence AS (
  SELECT DISTINCT s.request_id, CASE WHEN s.kind = 'disability' THEN 'disabled' ELSE 'operating' END AS use_character,
    CASE WHEN s.kind = 'operating_licence' THEN s.detail END AS plate
  FROM member_statuses_found s
  JOIN household_members m ON m.request_id = s.request_id AND m.member_no = s.member_no AND m.counted
  JOIN windows w ON w.request_id = s.request_id
  WHERE s.kind IN ('disability', 'operating_licence') AND NOT s.name_differs AND NOT s.stale
    AND COALESCE(s.from_on <= w.reference_date, TRUE) AND COALESCE(s.to_on > w.reference_date, TRUE)
),
proofs AS (
  SELECT 'operating' AS use_character, 'transport/operating_licences' AS dataset
  UNION ALL
  SELECT 'disabled', 'disabled_persons/disability'
),
-- absence is only known from an answer about everybody whose evidence it could be
unanswered AS (
  SELECT DISTINCT m.request_id, p.use_character
  FROM household_members m
  CROSS JOIN proofs p
  LEFT JOIN member_coverage c
    ON c.request_id = m.request_id AND c.member_no = m.member_no AND c.dataset = p.dataset
    AND c.state = 'covered' AND c.quarantined_rows = 0
  WHERE m.counted AND c.request_id IS NULL
)
SELECT
  a.request_id, a.asset, MIN(v.cites) AS cites,
  CASE
    WHEN NOT BOOL_OR(v.needs_evidence) OR COUNT(e.request_id) > 0 THEN 'exempt'
    WHEN COUNT(k.request_id) > 0 THEN 'evidence_unknown'
    ELSE 'no_evidence'
  END AS state
FROM assets a
JOIN policy_vehicle_exempt v ON v.policy_id = a.policy_id AND v.use_character = a.use_character
LEFT JOIN evidence e
  ON e.request_id = a.request_id AND e.use_character = a.use_character
  AND (e.plate IS NULL OR e.plate = split_part(a.asset, ' ', 2))
LEFT JOIN unanswered k ON k.request_id = a.request_id AND k.use_character = a.use_character
WHERE a.class = 'vehicle'
GROUP BY a.request_id, a.asset
