-- Wages from which employment cost is deducted (R44), by the months they are for. Those that touch the same months are of
-- one span, taken together: nothing is spread (R36), and the cap is that of so many months.
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
)
SELECT * EXCLUDE (begins), COUNT(*) FILTER (WHERE begins) OVER (
    PARTITION BY request_id, member_no ORDER BY first_month, last_month ROWS UNBOUNDED PRECEDING
  ) AS span
FROM begun
