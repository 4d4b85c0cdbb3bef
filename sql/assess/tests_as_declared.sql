-- What each test would say of the declared figures: the measure of whether a difference is material (R64).
WITH declared AS (
  SELECT request_id, item AS figure, declared FROM declaration_items
  UNION ALL
  SELECT d.request_id, 'income',
    SUM(d.declared) - SUM(CASE WHEN d.item <> 'income.wage' THEN 0 ELSE LEAST(
      d.declared * p.wage_deduction_bp // 10000,
      COALESCE(p.wage_deduction_cap_fen * h.window_months, 9223372036854775807)
    ) END)
  FROM declaration_items d
  JOIN households h USING (request_id)
  JOIN policy p USING (policy_id)
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
