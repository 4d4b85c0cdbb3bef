-- The smallest set whose removal (or answer) changes the test, largest first: unbounded ones all, then the largest
-- amounts until the figure is on the other side of the limit.
WITH ranked AS (
  SELECT
    *,
    CAST(ROW_NUMBER() OVER w AS INTEGER) AS rank,
    start + CASE WHEN rises THEN 1 ELSE -1 END
      * COALESCE(SUM(amount) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS reached
  FROM decisive_candidates
  WINDOW w AS (
    PARTITION BY request_id, test
    ORDER BY amount DESC NULLS FIRST, kind, dataset, member_no, period_from NULLS FIRST, label, facts
  )
)
-- a sum is wider than a BIGINT, and Parquet would keep it as a floating number
SELECT request_id, test, rank, kind, item_kind, item_no, label, member_no, dataset, period_from,
  CAST(amount AS BIGINT) AS amount, facts
FROM ranked
WHERE amount IS NULL
  OR (reached < limit_total OR (op = '<=' AND reached = limit_total)) = rises
