-- R49: a home that a counted member sold between the first day of the window and the reference date, whose price is found
-- in no balance.
WITH sales AS (
  SELECT DISTINCT s.request_id, s.member_no, s.asset, s.proceeds_fen, s.dataset, s.fact_no
  FROM member_holdings s
  JOIN policy p USING (policy_id)
  JOIN windows w ON w.request_id = s.request_id
  WHERE s.class = 'sale' AND s.reason IS NULL AND s.proceeds_fen >= p.trace_proceeds_min_fen
    AND s.status_on < s.reference_date AND s.status_on >= w.window_from AND s.counted
)
SELECT
  s.request_id, 'proceeds_untraced' AS code, 'R49' AS rule, s.member_no, s.dataset,
  [s.fact_no] AS facts
FROM sales s
JOIN figures f ON f.request_id = s.request_id AND f.figure = 'financial_assets'
WHERE f.low < s.proceeds_fen
