-- Each item that a household declares, beside what was found; what was not declared counts as declared 0.
WITH items AS (
  SELECT f.request_id, f.figure AS item, f.low, f.high, h.policy_id
  FROM figures f
  JOIN households h USING (request_id)
  WHERE f.figure <> 'income'
),
asked AS (
  SELECT DISTINCT s.policy_id, f.figure AS item FROM policy_sources s JOIN feeds f ON f.dataset = s.dataset
)
SELECT
  i.request_id, i.item,
  CAST(COALESCE(d.declared, 0) AS BIGINT) AS declared,
  d.declared IS NOT NULL AS declared_at_all,
  i.low, i.high, COALESCE(t.tolerance, 0) AS tolerance,
  CASE
    WHEN COALESCE(d.declared, 0) < i.low - COALESCE(t.tolerance, 0) THEN 'differs'
    WHEN i.high IS NOT NULL AND COALESCE(d.declared, 0) > i.high + COALESCE(t.tolerance, 0) THEN 'differs'
    WHEN i.high IS NULL OR i.high - i.low > COALESCE(t.tolerance, 0) THEN 'undetermined'
    ELSE 'matches'
  END AS result
FROM items i
LEFT JOIN declarations d ON d.request_id = i.request_id AND d.item = i.item
LEFT JOIN policy_tolerances t ON t.policy_id = i.policy_id AND t.item = i.item
LEFT JOIN asked a ON a.policy_id = i.policy_id AND a.item = i.item
-- what no source is asked about, and nobody declared, is no item
WHERE a.item IS NOT NULL OR d.declared IS NOT NULL
