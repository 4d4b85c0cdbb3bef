-- For each undetermined test, where its figure stands with every missing source taken to answer that it has nothing
-- (`most`, `least`), and what it would come to if all that is in doubt were nothing as well (`settled`).
WITH parts AS (
  SELECT request_id, 'income' AS figure, SUM(high_fen) AS most, SUM(low_fen) AS least, 0 AS open_fen
  FROM income_lines GROUP BY request_id
  UNION ALL
  SELECT request_id, 'income', -high_fen, -low_fen, 0 FROM deductions
  UNION ALL
  SELECT request_id, 'income', -low_fen, -high_fen, 0 FROM expense_items
  UNION ALL
  -- a source that could tell of any expense must answer in any case: what it leaves stands apart from the sums
  SELECT request_id, 'income', 0, -SUM(left_fen), 0
  FROM open_expenses GROUP BY request_id, dataset HAVING COUNT(left_fen) = COUNT(*)
  UNION ALL
  SELECT request_id, 'income', known_high_fen, low_fen, known_high_fen - low_fen FROM support_lines
  UNION ALL
  SELECT request_id, 'income', 0, 0, open_fen FROM decisive_incomes
  UNION ALL
  SELECT request_id, figure, high, low, high - low FROM asset_items WHERE figure IS NOT NULL
)
SELECT
  t.request_id, t.test, CAST(COALESCE(SUM(p.most), 0) AS BIGINT) AS most, CAST(COALESCE(SUM(p.least), 0) AS BIGINT) AS least,
  CAST(GREATEST(COALESCE(SUM(p.most - p.open_fen), 0), 0) AS BIGINT) AS settled
FROM tests t
LEFT JOIN parts p ON p.request_id = t.request_id AND p.figure = t.figure
WHERE t.result = 'undetermined'
GROUP BY t.request_id, t.test
