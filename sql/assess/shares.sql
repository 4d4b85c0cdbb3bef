-- The share of a household's income that is left after rigid expenditure, in basis points, where the programme, or one
-- told for referral, looks at it. What members are known to have paid is the least that they spent: no department sends
-- what they live on, so nothing bounds their expenditure upwards, and nothing bounds this share downwards but zero.
WITH looked_at AS (
  SELECT policy_id FROM policy_tests WHERE figure = 'income_left_share'
  UNION
  SELECT policy_id FROM policy_suitable WHERE figure = 'income_left_share'
),
spent AS (
  SELECT request_id, CAST(SUM(amount_fen) AS BIGINT) AS known_fen
  FROM member_expenses
  WHERE counted AND reason IS NULL
  GROUP BY request_id
)
SELECT
  h.request_id, 'income_left_share' AS figure, CAST(0 AS BIGINT) AS low,
  CAST(CASE
    WHEN f.high IS NULL OR COALESCE(s.known_fen, 0) <= 0 THEN 10000
    WHEN f.high <= s.known_fen THEN 0
    ELSE (f.high - s.known_fen) * 10000 // f.high
  END AS BIGINT) AS high
FROM households h
JOIN looked_at USING (policy_id)
JOIN figures f ON f.request_id = h.request_id AND f.figure = 'income'
LEFT JOIN spent s ON s.request_id = h.request_id
