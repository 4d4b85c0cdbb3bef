-- What members paid themselves, in or across the window (R46a). A settlement counts in its own period, as income does.
SELECT
  m.request_id, m.member_no, hm.counted, h.policy_id, f.kind, f.dataset, f.period_from, f.period_to, f.amount_fen,
  CASE
    WHEN f.disputed_reason IS NOT NULL THEN f.disputed_reason
    WHEN mp.doubtful OR (f.name_token IS NOT NULL AND f.name_token <> m.name_token) THEN 'identity_conflict'
    WHEN hm.died_on IS NOT NULL AND f.period_from > hm.died_on THEN 'after_death'
    WHEN u.stale THEN 'stale'
    WHEN f.period_from < h.window_from OR f.period_to > h.window_to THEN 'straddles_window'
  END AS reason,
  f.fact_no
FROM fact_expense f
JOIN member_persons mp ON mp.person = f.person
JOIN members m ON m.request_id = mp.request_id AND m.member_no = mp.member_no
JOIN household_members hm ON hm.request_id = m.request_id AND hm.member_no = m.member_no
JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = f.dataset
JOIN households h ON h.request_id = m.request_id
WHERE f.period_from < h.window_to AND f.period_to > h.window_from
