-- What could change a test: for one exceeded, what surely counts; for one undetermined, what is uncertain or missing.
WITH wage_share AS (
  -- a wage fact takes its part of the deduction away with it
  SELECT b.*, CASE WHEN b.category = 'wage' AND b.granularity <> 'annual' THEN 10000 - p.wage_deduction_bp ELSE 10000 END AS net_bp
  FROM income_lines b
  JOIN policy p USING (policy_id)
),
item_of_fact AS (
  -- which item of the report a line of income stands in
  SELECT request_id, item_no, UNNEST(facts) AS fact_no FROM income_items
),
contributions AS (
  SELECT w.request_id, 'income' AS figure, 'income' AS item_kind, i.item_no, category || '/' || kind AS label, member_no, dataset, period_from,
    [w.fact_no] AS facts, low_fen * net_bp // 10000 AS low, high_fen * net_bp // 10000 AS high
  FROM wage_share w
  LEFT JOIN item_of_fact i ON i.request_id = w.request_id AND i.fact_no = w.fact_no
  WHERE high_fen > 0
  UNION ALL
  SELECT request_id, figure, 'asset', item_no, class || '/' || COALESCE(label, ''), member_no, dataset, as_of, facts, low, high
  FROM asset_items
  WHERE figure IS NOT NULL AND (high > 0 OR high IS NULL)
)
SELECT t.request_id, t.test, t.result, t.op, t.limit_total, t.low AS test_low, t.high AS test_high,
  'fact' AS kind, c.item_kind, c.item_no, c.label, c.member_no, c.dataset, c.period_from, c.facts,
  CASE WHEN t.result = 'exceeded' THEN c.low ELSE c.high - c.low END AS amount
FROM tests t
JOIN contributions c ON c.request_id = t.request_id AND c.figure = t.figure
WHERE t.result IN ('exceeded', 'undetermined')
  AND (CASE WHEN t.result = 'exceeded' THEN c.low > 0 ELSE c.high IS NULL OR c.high > c.low END)
UNION ALL
SELECT DISTINCT t.request_id, t.test, t.result, t.op, t.limit_total, t.low, t.high,
  'source', 'source', CAST(NULL AS INTEGER), g.dataset, CAST(NULL AS INTEGER), g.dataset, CAST(NULL AS DATE), [], CAST(NULL AS BIGINT)
FROM tests t
JOIN gaps g ON g.request_id = t.request_id AND (g.figure = t.figure OR g.figure LIKE t.figure || '.%')
WHERE t.result = 'undetermined'
