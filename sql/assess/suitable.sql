-- Tests of programmes that the household did not apply for, on the figures that were formed anyway: information for
-- referral (转介), never a decision (R67), and nothing was asked for it (R34). A source that such a programme requires
-- opens its figures where it did not answer, though the programme applied for needs no answer from it (R6).
WITH missing AS (
  SELECT DISTINCT s.policy_id, s.programme, c.request_id, f.figure
  FROM policy_suitable_sources s
  JOIN households h ON h.policy_id = s.policy_id
  JOIN member_coverage c ON c.request_id = h.request_id AND c.dataset = s.dataset
  JOIN household_members m ON m.request_id = c.request_id AND m.member_no = c.member_no AND m.counted
  LEFT JOIN feeds f ON f.dataset = s.dataset
  WHERE c.state <> 'covered' OR c.quarantined_rows > 0
),
missing_for AS (
  SELECT request_id, programme FROM missing GROUP BY request_id, programme
),
limits AS (
  SELECT
    h.request_id, h.policy_id, h.counted, t.programme, t.test, t.figure, t.op,
    COALESCE(f.low, 0) AS low,  -- a figure that was not formed is open, and its test must not vanish
    CASE WHEN o.figure IS NULL THEN f.high END AS high,
    CAST(t.limit_value
      * CASE WHEN t.scale IN ('per_head', 'per_head_month') THEN h.counted ELSE 1 END
      * CASE WHEN t.scale = 'per_head_month' THEN h.window_months ELSE 1 END AS BIGINT) AS limit_total
  FROM households h
  JOIN policy_suitable t USING (policy_id)
  LEFT JOIN figures f ON f.request_id = h.request_id AND f.figure = t.figure
  LEFT JOIN (
    SELECT DISTINCT request_id, programme, CASE WHEN figure LIKE 'income.%' THEN 'income' ELSE figure END AS figure
    FROM missing
    WHERE figure IS NOT NULL
  ) o ON o.request_id = h.request_id AND o.programme = t.programme AND o.figure = t.figure
),
tested AS (
  SELECT
    *,
    CASE
      WHEN counted = 0 THEN 'undetermined'
      WHEN high IS NOT NULL AND (high < limit_total OR (op = '<=' AND high = limit_total)) THEN 'satisfied'
      WHEN low > limit_total OR (op = '<' AND low = limit_total) THEN 'exceeded'
      ELSE 'undetermined'
    END AS result
  FROM limits
),
answers AS (
  SELECT request_id, programme, BOOL_OR(result = 'exceeded') AS any_exceeded, BOOL_AND(result = 'satisfied') AS all_satisfied
  FROM tested
  GROUP BY request_id, programme
)
SELECT
  t.request_id, t.policy_id, t.programme, t.test, t.figure, t.limit_total, t.low, t.high, t.result,
  CASE
    WHEN a.any_exceeded THEN 'over_limit'
    WHEN a.all_satisfied AND g.request_id IS NULL AND m.request_id IS NULL THEN 'within_limits'
    ELSE 'undetermined'
  END AS limits
FROM tested t
JOIN answers a ON a.request_id = t.request_id AND a.programme = t.programme
LEFT JOIN (SELECT DISTINCT request_id FROM gaps) g ON g.request_id = t.request_id
LEFT JOIN missing_for m ON m.request_id = t.request_id AND m.programme = t.programme
