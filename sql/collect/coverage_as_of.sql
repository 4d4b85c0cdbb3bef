-- Coverage at the batch's own moment: an answer collected for an earlier batch may have passed its freshness since (R4).
SELECT
  c.* REPLACE (
    CASE WHEN c.state = 'covered' AND c.as_of < CAST(f.fresh_since AS DATE) THEN 'stale' ELSE c.state END AS state
  )
FROM collected_coverage c
LEFT JOIN freshness f ON f.dataset = c.dataset
