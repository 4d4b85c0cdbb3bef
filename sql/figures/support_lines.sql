-- R27: what persons with a duty of support, asked with their own consent, would owe by the pack: their income above the
-- floor of their own household, by the pack's share, divided among those they support. Who did not tell how many these
-- are has at least themselves in the household and supports at least one: the most that can be due bounds the line.
WITH supporters AS (
  SELECT
    m.request_id, m.member_no, m.support_household, m.support_number, h.policy_id, h.reference_date, h.window_from, h.window_to,
    p.support_share_bp, p.support_floor_fen * h.window_months AS floor_fen
  FROM members m
  JOIN households h ON h.request_id = m.request_id
  JOIN policy p ON p.policy_id = h.policy_id
  WHERE m.role = 'supporter' AND p.support_share_bp > 0
    AND EXISTS (SELECT 1 FROM queries q WHERE q.request_id = m.request_id AND q.member_no = m.member_no AND q.state = 'ask')
),
missing AS (
  SELECT c.request_id, c.member_no, list_sort(LIST(DISTINCT c.dataset)) AS datasets
  FROM member_coverage c
  JOIN supporters s ON s.request_id = c.request_id AND s.member_no = c.member_no
  JOIN feeds f ON f.dataset = c.dataset AND f.figure LIKE 'income.%'
  WHERE c.requirement = 'required' AND (c.state <> 'covered' OR c.quarantined_rows > 0)
  GROUP BY c.request_id, c.member_no
),
income AS (
  SELECT
    l.request_id, l.member_no, GREATEST(SUM(l.own_low_fen), 0) AS low, GREATEST(SUM(l.own_high_fen), 0) AS high,
    MIN(l.dataset) AS dataset, list_sort(LIST(l.fact_no)) AS facts
  FROM income_lines l
  JOIN supporters s ON s.request_id = l.request_id AND s.member_no = l.member_no
  LEFT JOIN deaths d ON d.request_id = l.request_id AND d.member_no = l.member_no AND d.died_on < s.reference_date
  -- nobody supports from their death on; what is told of a later time is a question (R21, R22)
  WHERE (l.own_high_fen <> 0 OR l.own_low_fen <> 0) AND COALESCE(l.period_from > d.died_on, TRUE)
  GROUP BY l.request_id, l.member_no
)
SELECT
  s.request_id, s.member_no, s.window_from, s.window_to, m.datasets AS missing, i.dataset, COALESCE(i.facts, []) AS facts,
  s.support_household IS NOT NULL AND s.support_number IS NOT NULL AS told,
  CAST(CASE WHEN s.support_household IS NULL OR s.support_number IS NULL THEN 0
    ELSE GREATEST(COALESCE(i.low, 0) - s.floor_fen * s.support_household, 0) * s.support_share_bp // 10000 // s.support_number
  END AS BIGINT) AS low_fen,
  -- the most that is due by what is known; nothing bounds it while a source is silent
  CAST(GREATEST(COALESCE(i.high, 0) - s.floor_fen * COALESCE(s.support_household, 1), 0) * s.support_share_bp // 10000
    // COALESCE(s.support_number, 1) AS BIGINT) AS known_high_fen,
  CASE WHEN m.datasets IS NULL THEN known_high_fen END AS high_fen
FROM supporters s
LEFT JOIN missing m ON m.request_id = s.request_id AND m.member_no = s.member_no
LEFT JOIN income i ON i.request_id = s.request_id AND i.member_no = s.member_no
