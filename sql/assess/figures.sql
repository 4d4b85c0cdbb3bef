-- Every figure of a household as a closed interval; `high` NULL means unbounded (a required source is missing).
WITH kinds AS (
  -- a test of a figure that nothing feeds yet must not vanish: the figure is there, and open
  SELECT h.request_id, k.figure, k.unit FROM households h CROSS JOIN figure_kinds k
  UNION
  SELECT h.request_id, t.figure, t.unit FROM households h JOIN policy_tests t USING (policy_id) WHERE t.unit <> 'bp'
),
parts AS (
  SELECT request_id, 'income.' || category AS figure, low_fen AS low, high_fen AS high FROM income_lines
  UNION ALL
  SELECT request_id, 'income', low_fen, high_fen FROM income_lines
  UNION ALL
  SELECT request_id, 'income', -low_fen, -high_fen FROM deductions
  UNION ALL
  -- what may have to be deducted lowers the lower bound, what surely is deducted the upper one too (R46a)
  SELECT request_id, 'income', -high_fen, -low_fen FROM expense_items
  UNION ALL
  SELECT request_id, 'income', -COALESCE(left_fen, 1000000000000000000), 0 FROM open_expenses
  UNION ALL
  SELECT request_id, figure, low_fen, high_fen
  FROM support_lines CROSS JOIN (VALUES ('income'), ('income.transfer')) AS of_support (figure)
  UNION ALL
  SELECT request_id, figure, low, high FROM asset_items WHERE figure IS NOT NULL
),
summed AS (
  SELECT request_id, figure, SUM(low) AS low, CASE WHEN COUNT(high) = COUNT(*) THEN SUM(high) END AS high
  FROM parts
  GROUP BY request_id, figure
),
open_figures AS (
  -- a missing source opens the figure it feeds, and the total above that; so does a figure that no asked source feeds
  SELECT request_id, figure FROM gaps WHERE figure IS NOT NULL
  UNION
  SELECT request_id, 'income' FROM gaps WHERE figure LIKE 'income.%'
  UNION
  SELECT k.request_id, k.figure
  FROM kinds k
  JOIN households h USING (request_id)
  WHERE NOT EXISTS (
    SELECT 1 FROM policy_sources s JOIN feeds f ON f.dataset = s.dataset
    WHERE s.policy_id = h.policy_id AND s.requirement = 'required'
      AND (f.figure = k.figure OR f.figure LIKE k.figure || '.%')
  )
)
SELECT
  k.request_id, k.figure, k.unit,
  CAST(GREATEST(COALESCE(s.low, 0), 0) AS BIGINT) AS low,
  CASE WHEN o.figure IS NULL AND (s.figure IS NULL OR s.high IS NOT NULL)
    THEN CAST(GREATEST(COALESCE(s.high, 0), 0) AS BIGINT) END AS high
FROM kinds k
LEFT JOIN summed s ON s.request_id = k.request_id AND s.figure = k.figure
LEFT JOIN open_figures o ON o.request_id = k.request_id AND o.figure = k.figure
