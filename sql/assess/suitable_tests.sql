-- Tests of programmes that the household did not apply for, on the figures that were formed anyway: information for
-- referral (转介), never a decision (R67), and nothing was asked for it (R34).
WITH opened AS (
  SELECT h.request_id, h.policy_id, h.counted, h.window_months, COALESCE(g.figures, []) AS figures
  FROM households h
  LEFT JOIN suitable_gaps g USING (request_id)
),
bounds AS (
  SELECT request_id, figure, low, high FROM figures
  UNION ALL
  SELECT request_id, figure, low, high FROM shares
),
compared AS (
  SELECT
    h.request_id, h.policy_id, h.counted, t.programme, t.test, t.figure, t.op, f.low,
    CASE WHEN list_contains(h.figures, t.programme || ' ' || t.figure) THEN NULL ELSE f.high END AS high,
    CAST(t.limit_value
      * CASE WHEN t.scale IN ('per_head', 'per_head_month') THEN h.counted ELSE 1 END
      * CASE WHEN t.scale = 'per_head_month' THEN h.window_months ELSE 1 END AS BIGINT) AS limit_total
  FROM opened h
  JOIN policy_suitable t USING (policy_id)
  JOIN bounds f ON f.request_id = h.request_id AND f.figure = t.figure
)
SELECT
  request_id, policy_id, programme, test, figure, limit_total, low, high,
  CASE
    WHEN counted = 0 THEN 'undetermined'
    WHEN high IS NOT NULL AND (high < limit_total OR (op = '<=' AND high = limit_total)) THEN 'satisfied'
    WHEN low > limit_total OR (op = '<' AND low = limit_total) THEN 'exceeded'
    ELSE 'undetermined'
  END AS result
FROM compared
