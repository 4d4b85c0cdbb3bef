-- What each test would say of the declared figures: the measure of whether a difference is material (R64).
WITH declared AS (
  SELECT request_id, item AS figure, declared FROM declaration_items
  UNION ALL
  SELECT d.request_id, 'income',
    SUM(d.declared) - COALESCE(MIN(e.low_fen), 0) - SUM(CASE WHEN d.item <> 'income.wage' THEN 0 ELSE LEAST(
      d.declared * p.wage_deduction_bp // 10000,
      COALESCE(p.wage_deduction_cap_fen * h.window_months, 9223372036854775807)
    ) END)
  FROM declaration_items d
  JOIN households h USING (request_id)
  JOIN policy p USING (policy_id)
  -- what surely comes off for rigid expenditure comes off what was declared as well (R46a)
  LEFT JOIN (SELECT request_id, SUM(low_fen) AS low_fen FROM expense_items GROUP BY request_id) e
    ON e.request_id = d.request_id
  WHERE d.item LIKE 'income.%'
  GROUP BY d.request_id
)
SELECT
  t.request_id, t.test, t.figure, t.result AS result_found,
  CASE WHEN d.declared < t.limit_total OR (t.op = '<=' AND d.declared = t.limit_total) THEN 'satisfied' ELSE 'exceeded' END
    AS result_declared
FROM tests t
JOIN declared d ON d.request_id = t.request_id AND d.figure = t.figure
JOIN households h ON h.request_id = t.request_id AND h.counted > 0  -- a household of none is not judged on either side (R28)
