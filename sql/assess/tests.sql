-- Each test of the programme: exact, by multiplying the limit with members and months, by the pack's operator (R62).
WITH limits AS (
  SELECT
    h.request_id, t.*,
    CAST(t.limit_value
      * CASE WHEN t.scale IN ('per_head', 'per_head_month') THEN h.counted ELSE 1 END
      * CASE WHEN t.scale = 'per_head_month' THEN h.window_months ELSE 1 END AS BIGINT) AS limit_total,
    h.counted
  FROM households h
  JOIN policy_tests t USING (policy_id)
),
bounds AS (
  SELECT request_id, figure, low, high FROM figures
  UNION ALL
  SELECT request_id, figure, low, high FROM shares
)
SELECT
  l.request_id, l.test, l.figure, l.op, l.scale, l.unit, l.limit_value, l.limit_total, f.low, f.high,
  CASE
    WHEN l.counted = 0 THEN 'undetermined'
    WHEN f.high IS NOT NULL AND (f.high < l.limit_total OR (l.op = '<=' AND f.high = l.limit_total)) THEN 'satisfied'
    WHEN f.low > l.limit_total OR (l.op = '<' AND f.low = l.limit_total) THEN 'exceeded'
    ELSE 'undetermined'
  END AS result,
  l.cites, l.title_zh, l.title_en, l.formula, l.example
FROM limits l
JOIN bounds f ON f.request_id = l.request_id AND f.figure = l.figure
