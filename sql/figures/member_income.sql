-- Income facts of members whose source may be used, in or across the window (R35, R46): one row per fact.
-- Reasons to dispute: nothing is spread, so a period that crosses an end of the window is disputed as a whole.
WITH told AS (
  -- a payment belongs to the period it is for; a bonus or arrears to the month paid, if the pack says so or if no
  -- period was given (R37)
  SELECT
    m.request_id, m.member_no, m.name_token AS own_name, hm.counted, hm.died_on, h.policy_id, h.window_from, h.window_to,
    u.stale, f.* EXCLUDE (person),
    f.one_off IS NOT NULL AND f.paid_on IS NOT NULL AND (p.bonus_rule = 'paid' OR f.period_from IS NULL) AS by_payment
  FROM fact_income f
  JOIN member_persons mp ON mp.person = f.person
  JOIN members m ON m.request_id = mp.request_id AND m.member_no = mp.member_no
  JOIN household_members hm ON hm.request_id = m.request_id AND hm.member_no = m.member_no
  JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = f.dataset
  JOIN households h ON h.request_id = m.request_id
  JOIN policy p ON p.policy_id = h.policy_id
),
placed AS (
  SELECT
    * EXCLUDE (period_from, period_to),
    CASE WHEN by_payment THEN CAST(date_trunc('month', paid_on) AS DATE) ELSE period_from END AS period_from,
    CASE WHEN by_payment THEN CAST(date_trunc('month', paid_on) + INTERVAL 1 MONTH AS DATE) ELSE period_to END AS period_to
  FROM told
)
SELECT
  request_id, member_no, counted, policy_id, category, kind, COALESCE(one_off, payer, '') AS payer,
  CASE WHEN one_off IS NULL THEN payer_name END AS payer_name, dataset, granularity,
  period_from, period_to, paid_on, amount_fen, record_ref, COALESCE(mark, 'original') AS mark, correction_of,
  CASE
    WHEN disputed_reason IS NOT NULL THEN disputed_reason
    WHEN name_token IS NOT NULL AND name_token <> own_name THEN 'identity_conflict'
    WHEN died_on IS NOT NULL AND period_from > died_on THEN 'after_death'
    WHEN stale THEN 'stale'
    WHEN granularity = 'annual' THEN 'annual_only'
    WHEN period_from < window_from OR period_to > window_to THEN 'straddles_window'
  END AS reason,
  fact_no
FROM placed
WHERE period_from < window_to AND period_to > window_from
