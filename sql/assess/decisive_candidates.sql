-- What could change a test: for one exceeded, what surely counts; for one undetermined, what is in doubt or missing, and
-- on the side to which it would fall if all of that were nothing: `start` is where the figure stands, and each candidate
-- lowers it, or raises it where the doubt is about a deduction or a loss (`rises`).
WITH judged AS (
  SELECT
    t.request_id, t.test, t.figure, t.result, t.op, t.limit_total,
    COALESCE(t.result = 'undetermined' AND NOT (s.settled < t.limit_total OR (t.op = '<=' AND s.settled = t.limit_total)), FALSE) AS rises,
    CASE WHEN t.result = 'exceeded' THEN t.low WHEN rises THEN s.least ELSE s.most END AS start
  FROM tests t
  JOIN households h ON h.request_id = t.request_id AND h.counted > 0  -- nothing changes what is not judged (R28)
  LEFT JOIN settled s ON s.request_id = t.request_id AND s.test = t.test
  WHERE t.result IN ('exceeded', 'undetermined')
),
item_of_fact AS (
  -- which item of the report a line of income stands in
  SELECT request_id, item_no, UNNEST(facts) AS fact_no FROM income_items WHERE kind <> 'support_due'
),
capped AS (
  -- where the cap stands over expenses in doubt, none of them alone lowers what is deducted
  SELECT e.request_id, e.kind
  FROM expense_items e
  JOIN households h ON h.request_id = e.request_id
  JOIN policy_expense_deductions d ON d.policy_id = h.policy_id AND d.kind = e.kind
  WHERE e.treatment IN ('counted', 'disputed')
  GROUP BY e.request_id, e.kind
  HAVING SUM(e.amount_fen) * MIN(d.rate_bp) // 10000 > MIN(d.cap_fen)
),
facts AS (
  SELECT i.request_id, 'income' AS figure, 'income' AS item_kind, n.item_no, category || '/' || kind AS label, member_no, dataset,
    period_from, [i.fact_no] AS facts, low, open_fen AS falls, -loss_fen AS raises
  FROM decisive_incomes i
  LEFT JOIN item_of_fact n ON n.request_id = i.request_id AND n.fact_no = i.fact_no
  UNION ALL
  SELECT s.request_id, 'income', 'income', i.item_no, 'transfer/support_due', s.member_no, i.dataset, s.window_from, s.facts, s.low_fen,
    s.known_high_fen - s.low_fen, 0
  FROM support_lines s
  JOIN income_items i ON i.request_id = s.request_id AND i.member_no = s.member_no AND i.kind = 'support_due'
  UNION ALL
  SELECT e.request_id, 'income', 'expense', MIN(item_no), 'expense/' || e.kind, MIN(member_no), MIN(dataset), MIN(period_from),
    list_sort(flatten(LIST(facts))), 0, 0, SUM(high_fen - low_fen)
  FROM expense_items e
  LEFT JOIN capped c ON c.request_id = e.request_id AND c.kind = e.kind
  WHERE treatment = 'disputed'
  GROUP BY e.request_id, e.kind, CASE WHEN c.request_id IS NULL THEN item_no END
  UNION ALL
  SELECT request_id, figure, 'asset', item_no, class || '/' || COALESCE(label, ''), member_no, dataset, as_of, facts, low, high - low, 0
  FROM asset_items
  WHERE figure IS NOT NULL AND (high > 0 OR high IS NULL)
),
missing AS (
  SELECT request_id, figure, dataset, FALSE AS rises, CAST(NULL AS BIGINT) AS amount FROM gaps WHERE figure IS NOT NULL
  UNION
  SELECT request_id, 'income', UNNEST(missing), FALSE, NULL FROM support_lines
  UNION
  SELECT request_id, 'income', dataset, TRUE, CASE WHEN COUNT(left_fen) = COUNT(*) THEN SUM(left_fen) END
  FROM open_expenses GROUP BY request_id, dataset
)
SELECT j.*, 'fact' AS kind, f.item_kind, f.item_no, f.label, f.member_no, f.dataset, f.period_from, f.facts,
  CASE WHEN j.result = 'exceeded' THEN f.low WHEN j.rises THEN f.raises ELSE f.falls END AS amount
FROM judged j
JOIN facts f ON f.request_id = j.request_id AND f.figure = j.figure
  AND CASE WHEN j.result = 'exceeded' THEN f.low > 0 WHEN j.rises THEN f.raises > 0 ELSE f.falls > 0 OR f.falls IS NULL END
UNION ALL
SELECT DISTINCT j.*, 'source', 'source', CAST(NULL AS INTEGER), m.dataset, CAST(NULL AS INTEGER), m.dataset, CAST(NULL AS DATE), [],
  m.amount
FROM judged j
JOIN missing m ON m.request_id = j.request_id AND (m.figure = j.figure OR m.figure LIKE j.figure || '.%') AND m.rises = j.rises
WHERE j.result = 'undetermined' AND COALESCE(m.amount > 0, TRUE)
