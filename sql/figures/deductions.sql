-- Employment cost (R44): a rate of the wages, capped for each month with wages, once per earner however many payers.
-- Wages that span several months are taken together with all that touches these months: nothing is spread (R36), and
-- the cap is that of so many months.
WITH wages AS (
  SELECT
    request_id, member_no, policy_id,
    EXTRACT(YEAR FROM period_from) * 12 + EXTRACT(MONTH FROM period_from) AS first_month,
    EXTRACT(YEAR FROM period_to - 1) * 12 + EXTRACT(MONTH FROM period_to - 1) AS last_month,
    SUM(low_fen) AS low, SUM(high_fen) AS high
  FROM income_lines
  WHERE category = 'wage' AND granularity <> 'annual' AND treatment IN ('counted', 'netted', 'disputed')
  GROUP BY request_id, member_no, policy_id, first_month, last_month
),
begun AS (
  SELECT *, COALESCE(first_month > MAX(last_month) OVER (
    PARTITION BY request_id, member_no ORDER BY first_month, last_month ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ), TRUE) AS begins
  FROM wages
),
spans AS (
  SELECT *, COUNT(*) FILTER (WHERE begins) OVER (
    PARTITION BY request_id, member_no ORDER BY first_month, last_month ROWS UNBOUNDED PRECEDING
  ) AS span
  FROM begun
),
months AS (
  SELECT
    request_id, member_no, policy_id, MAX(last_month) - MIN(first_month) + 1 AS months, SUM(low) AS wage_low, SUM(high) AS wage_high
  FROM spans
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
