-- Employment cost (R44): a rate of the month's wages, capped per month, once per earner however many payers.
WITH months AS (
  SELECT
    request_id, member_no, policy_id, date_trunc('month', period_from) AS month,
    SUM(low_fen) AS wage_low, SUM(high_fen) AS wage_high
  FROM income_lines
  WHERE category = 'wage' AND granularity <> 'annual' AND treatment IN ('counted', 'netted', 'disputed')
  GROUP BY request_id, member_no, policy_id, date_trunc('month', period_from)
)
SELECT
  m.request_id, m.member_no, 'employment_cost' AS kind,
  CAST(SUM(LEAST(m.wage_low * p.wage_deduction_bp // 10000, COALESCE(p.wage_deduction_cap_fen, 9223372036854775807))) AS BIGINT)
    AS low_fen,
  CAST(SUM(LEAST(m.wage_high * p.wage_deduction_bp // 10000, COALESCE(p.wage_deduction_cap_fen, 9223372036854775807))) AS BIGINT)
    AS high_fen,
  CAST(COUNT(*) AS INTEGER) AS months,
  'R44' AS rule
FROM months m
JOIN policy p USING (policy_id)
WHERE p.wage_deduction_bp > 0
GROUP BY m.request_id, m.member_no
