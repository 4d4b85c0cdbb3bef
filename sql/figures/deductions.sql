-- Employment cost (R44): a rate of the wages, capped for each month with wages, once per earner however many payers.
WITH months AS (
  SELECT
    request_id, member_no, policy_id, MAX(last_month) - MIN(first_month) + 1 AS months, SUM(low) AS wage_low, SUM(high) AS wage_high
  FROM wage_months
  GROUP BY request_id, member_no, policy_id, span
)
SELECT
  m.request_id, m.member_no, 'employment_cost' AS kind,
  CAST(SUM(LEAST(m.wage_low * p.wage_deduction_bp // 10000, COALESCE(p.wage_deduction_cap_fen * m.months, 9223372036854775807)))
    AS BIGINT) AS low_fen,
  CAST(SUM(LEAST(m.wage_high * p.wage_deduction_bp // 10000, COALESCE(p.wage_deduction_cap_fen * m.months, 9223372036854775807)))
    AS BIGINT) AS high_fen,
  CAST(SUM(m.months) AS INTEGER) AS months,
  'R44' AS rule
FROM months m
JOIN policy p USING (policy_id)
WHERE p.wage_deduction_bp > 0
GROUP BY m.request_id, m.member_no
