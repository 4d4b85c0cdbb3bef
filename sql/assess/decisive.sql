-- The smallest set whose removal (or answer) changes the test, largest first: unbounded ones all, then the largest
-- amounts until the rest no longer reaches the limit.
WITH known_high AS (
  -- an undetermined test's high, were every missing source to answer that it has nothing
  SELECT request_id, test, SUM(amount) AS uncertain
  FROM decisive_candidates
  WHERE result = 'undetermined'
  GROUP BY request_id, test
),
ranked AS (
  SELECT
    c.*,
    CASE WHEN c.result = 'exceeded' THEN c.test_low 
      -- a lower bound that was raised to 0 must not raise the sum above the upper one
      ELSE LEAST(COALESCE(c.test_high, c.test_low + COALESCE(k.uncertain, 0)), c.test_low + COALESCE(k.uncertain, 0)) END AS start,
    CAST(ROW_NUMBER() OVER w AS INTEGER) AS rank,
    COALESCE(SUM(c.amount) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS removed_before
  FROM decisive_candidates c
  LEFT JOIN known_high k ON k.request_id = c.request_id AND k.test = c.test
  WINDOW w AS (
    PARTITION BY c.request_id, c.test
    ORDER BY c.amount DESC NULLS FIRST, c.kind, c.dataset, c.member_no, c.period_from NULLS FIRST, c.label, c.facts
  )
)
SELECT request_id, test, rank, kind, item_kind, item_no, label, member_no, dataset, period_from, amount, facts
FROM ranked
WHERE amount IS NULL OR start - removed_before > limit_total OR (op = '<' AND start - removed_before = limit_total)
