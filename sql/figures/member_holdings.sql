-- Holding facts of members whose source may be used, with whether each is held on the reference date (R25, R49, R52).
SELECT
  m.request_id, m.member_no, hm.counted, h.policy_id, h.reference_date,
  f.class, f.asset, f.label, f.display, f.ownership, f.share_bp, COALESCE(f.co_holders, []) AS co_holders,
  f.value_fen, COALESCE(f.currency, 'CNY') AS currency, f.status, f.status_on, f.acquired_on, f.as_of,
  f.mirrors, COALESCE(f.custodial, FALSE) AS custodial, f.use_character, f.proceeds_fen, f.mortgage_fen,
  COALESCE(f.suspended, FALSE) AS suspended,
  -- what ended on a day that nobody says may have ended before or after: it is held, and disputed
  (f.status = 'held' OR COALESCE(f.status_on, f.as_of) IS NULL OR COALESCE(f.status_on, f.as_of) > h.reference_date)
    AND (f.acquired_on IS NULL OR f.acquired_on <= h.reference_date) AS held,
  CASE
    WHEN f.disputed_reason IS NOT NULL THEN f.disputed_reason
    WHEN mp.doubtful OR (f.name_token IS NOT NULL AND f.name_token <> m.name_token) THEN 'identity_conflict'
    WHEN f.contested THEN 'contested_registration'
    WHEN hm.died_on IS NOT NULL AND COALESCE(f.as_of, CASE WHEN f.class = 'sale' THEN f.status_on END, h.reference_date) > hm.died_on THEN 'after_death'
    WHEN u.stale THEN 'stale'
    WHEN f.status <> 'held' AND f.status_on IS NULL AND COALESCE(f.as_of > h.reference_date, TRUE) THEN 'ended_on_unknown'
  END AS reason,
  COALESCE(COALESCE(f.as_of, h.reference_date) > hm.died_on, FALSE) AS after_death,
  f.dataset, f.fact_no
FROM fact_holding f
JOIN member_persons mp ON mp.person = f.person
JOIN members m ON m.request_id = mp.request_id AND m.member_no = mp.member_no
JOIN household_members hm ON hm.request_id = m.request_id AND hm.member_no = m.member_no
JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = f.dataset
JOIN households h ON h.request_id = m.request_id
