-- Income facts of members whose source may be used, in or across the window (R35, R46): one row per fact.
-- Reasons to dispute: nothing is spread, so a period that crosses an end of the window is disputed as a whole.
WITH told AS (
  SELECT
    m.request_id, m.member_no, m.name_token AS own_name, mp.doubtful, hm.counted, d.died_on, hm.role, h.policy_id, h.window_from, h.window_to,
    u.stale, p.bonus_rule,
    f.* EXCLUDE (person, period_from, period_to, paid_on, payer, one_off),
    -- a reversal stands where what it takes back stands (R39)
    COALESCE(n.period_from, f.period_from) AS period_from, COALESCE(n.period_to, f.period_to) AS period_to,
    COALESCE(n.paid_on, f.paid_on) AS paid_on, COALESCE(n.payer, f.payer, '') AS payer,
    COALESCE(n.one_off, f.one_off, '') AS one_off
  FROM fact_income f
  JOIN member_persons mp ON mp.person = f.person
  JOIN members m ON m.request_id = mp.request_id AND m.member_no = mp.member_no
  JOIN household_members hm ON hm.request_id = m.request_id AND hm.member_no = m.member_no
  JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = f.dataset
  JOIN households h ON h.request_id = m.request_id
  LEFT JOIN deaths d ON d.request_id = m.request_id AND d.member_no = m.member_no
  JOIN policy p ON p.policy_id = h.policy_id
  LEFT JOIN (SELECT * FROM named_before WHERE NOT corrected) n ON n.fact_no = f.fact_no
),
placed AS (
  -- a payment belongs to the period it is for; a bonus or arrears to the month paid, if the pack says so or if no
  -- period was given (R37): then it is one payment of that month, whatever time it is for
  SELECT
    * EXCLUDE (period_from, period_to, granularity),
    CASE WHEN by_payment THEN CAST(date_trunc('month', paid_on) AS DATE) ELSE period_from END AS period_from,
    CASE WHEN by_payment THEN CAST(date_trunc('month', paid_on) + INTERVAL 1 MONTH AS DATE) ELSE period_to END AS period_to,
    CASE WHEN by_payment THEN 'month' ELSE granularity END AS granularity
  FROM (
    SELECT *, one_off <> '' AND paid_on IS NOT NULL AND (bonus_rule = 'paid' OR period_from IS NULL) AS by_payment FROM told
  )
)
SELECT
  p.request_id, p.member_no, p.counted, p.policy_id, p.category, p.kind, p.payer, p.payer_name, p.one_off, p.dataset,
  p.granularity, p.period_from, p.period_to, p.paid_on, p.amount_fen, p.record_ref,
  COALESCE(p.mark, 'original') AS mark, p.correction_of, c.fact_no IS NOT NULL AS corrected,
  -- a supporter was never of the household: what comes after their death is a question, and no income of it (R27)
  COALESCE(p.period_from > p.died_on AND p.role <> 'supporter', FALSE) AS after_death,
  CASE
    WHEN p.disputed_reason IS NOT NULL THEN p.disputed_reason
    WHEN p.doubtful OR (p.name_token IS NOT NULL AND p.name_token <> p.own_name) THEN 'identity_conflict'
    WHEN p.died_on IS NOT NULL AND p.period_from > p.died_on THEN 'after_death'
    WHEN p.stale THEN 'stale'
    WHEN p.granularity = 'annual' THEN 'annual_only'
    WHEN p.period_from < p.window_from OR p.period_to > p.window_to THEN 'straddles_window'
  END AS reason,
  p.fact_no
FROM placed p
LEFT JOIN (SELECT DISTINCT fact_no FROM named_before WHERE corrected) c ON c.fact_no = p.fact_no
WHERE p.period_from < p.window_to AND p.period_to > p.window_from
