-- What could change a test: for one exceeded, what surely counts; for one undetermined, what is uncertain or missing.
WITH wage_share AS (
  -- a wage takes its part of the deduction away with it (R44)
  SELECT
    b.*,
    CASE WHEN b.category = 'wage' AND b.granularity <> 'annual' THEN p.wage_deduction_bp ELSE 0 END AS deducted_bp,
    CASE WHEN p.wage_deduction_cap_fen IS NULL THEN 9223372036854775807 ELSE p.wage_deduction_cap_fen * (
      (EXTRACT(YEAR FROM b.period_to - 1) - EXTRACT(YEAR FROM b.period_from)) * 12
      + EXTRACT(MONTH FROM b.period_to - 1) - EXTRACT(MONTH FROM b.period_from) + 1) END AS cap_fen
  FROM income_lines b
  JOIN policy p USING (policy_id)
  WHERE b.high_fen > 0 OR b.low_fen < 0
),
item_of_fact AS (
  -- which item of the report a line of income stands in
  SELECT request_id, item_no, UNNEST(facts) AS fact_no FROM income_items WHERE kind <> 'support_due'
),
contributions AS (
  SELECT w.request_id, 'income' AS figure, 'income' AS item_kind, i.item_no, category || '/' || kind AS label, member_no, dataset,
    period_from, [w.fact_no] AS facts,
    low_fen - CAST(LEAST(GREATEST(low_fen, 0) * deducted_bp // 10000, cap_fen) AS BIGINT) AS low,
    high_fen - CAST(LEAST(high_fen * deducted_bp // 10000, cap_fen) AS BIGINT) AS high
  FROM wage_share w
  LEFT JOIN item_of_fact i ON i.request_id = w.request_id AND i.fact_no = w.fact_no
  UNION ALL
  SELECT request_id, 'income', 'income', item_no, category || '/' || kind, member_no, dataset, period_from, facts, low_fen, high_fen
  FROM income_items
  WHERE kind = 'support_due' AND (high_fen > 0 OR high_fen IS NULL)
  UNION ALL
  -- an expense that is disputed leaves open whether it is deducted (R46a)
  SELECT request_id, 'income', 'expense', item_no, 'expense/' || kind, member_no, dataset, period_from, facts, 0, high_fen - low_fen
  FROM expense_items
  WHERE high_fen > low_fen
  UNION ALL
  SELECT request_id, figure, 'asset', item_no, class || '/' || COALESCE(label, ''), member_no, dataset, as_of, facts, low, high
  FROM asset_items
  WHERE figure IS NOT NULL AND (high > 0 OR high IS NULL)
),
missing AS (
  SELECT request_id, figure, dataset FROM gaps WHERE figure IS NOT NULL
  UNION
  SELECT request_id, 'income', dataset FROM open_expenses
  UNION
  SELECT request_id, 'income', missing FROM support_lines WHERE missing IS NOT NULL AND len(facts) = 0
)
SELECT t.request_id, t.test, t.result, t.op, t.limit_total, t.low AS test_low, t.high AS test_high,
  'fact' AS kind, c.item_kind, c.item_no, c.label, c.member_no, c.dataset, c.period_from, c.facts,
  CASE WHEN t.result = 'exceeded' THEN c.low ELSE c.high - c.low END AS amount
FROM tests t
JOIN households h ON h.request_id = t.request_id AND h.counted > 0  -- nothing changes what is not judged (R28)
JOIN contributions c ON c.request_id = t.request_id AND c.figure = t.figure
WHERE t.result IN ('exceeded', 'undetermined')
  AND (CASE WHEN t.result = 'exceeded' THEN c.low > 0 ELSE c.high IS NULL OR c.high > c.low END)
UNION ALL
SELECT DISTINCT t.request_id, t.test, t.result, t.op, t.limit_total, t.low, t.high,
  'source', 'source', CAST(NULL AS INTEGER), g.dataset, CAST(NULL AS INTEGER), g.dataset, CAST(NULL AS DATE), [], CAST(NULL AS BIGINT)
FROM tests t
JOIN households h ON h.request_id = t.request_id AND h.counted > 0
JOIN missing g ON g.request_id = t.request_id AND (g.figure = t.figure OR g.figure LIKE t.figure || '.%')
WHERE t.result = 'undetermined'
