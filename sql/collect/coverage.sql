-- What became of each person asked for, per dataset (R1–R4). Reads queries, outcomes, answered, links, quarantine.
-- A person who was asked for in one request and not in another has been asked for: what the other request may use
-- is in its queries. Members without an identifier keep one row each, since nothing tells them apart.
WITH asked AS (
  SELECT dataset, person, bool_or(state = 'ask') AS is_asked, min(state) FILTER (WHERE state <> 'ask') AS otherwise
  FROM queries
  WHERE person IS NOT NULL
  GROUP BY dataset, person
),
-- Every number a person was asked under (R16); the datasets that say who is who were asked before links were known.
numbers AS (
  SELECT dataset, person, person AS number FROM asked WHERE is_asked
  UNION
  SELECT a.dataset, a.person, l.other
  FROM asked a
  JOIN outcomes o USING (dataset)
  JOIN links l ON l.person = a.person
  WHERE a.is_asked AND NOT o.is_identity
),
unanswered AS (
  SELECT DISTINCT n.dataset, n.person
  FROM numbers n
  JOIN outcomes o USING (dataset)
  LEFT JOIN answered w ON w.dataset = n.dataset AND w.person = n.number
  WHERE o.is_partial AND w.person IS NULL
),
wrong_rows AS (
  SELECT n.dataset, n.person, count(DISTINCT (q.extract_digest, q.row_no)) AS quarantined_rows
  FROM numbers n
  JOIN quarantine q ON q.dataset = n.dataset AND q.person = n.number
  GROUP BY n.dataset, n.person
),
persons AS (
  SELECT
    a.dataset, a.person,
    CASE
      WHEN NOT a.is_asked THEN a.otherwise
      WHEN o.extract_digest IS NULL THEN 'unavailable'
      WHEN u.person IS NOT NULL THEN 'unanswered'
      WHEN o.as_of < o.fresh_since THEN 'stale'
      ELSE 'covered'
    END AS state,
    CASE WHEN a.is_asked THEN o.as_of END AS as_of,
    CASE WHEN a.is_asked THEN o.extract_digest END AS extract_digest,
    CAST(COALESCE(w.quarantined_rows, 0) AS INTEGER) AS quarantined_rows,
    CASE WHEN a.is_asked THEN o.reason END AS reason
  FROM asked a
  LEFT JOIN outcomes o ON o.dataset = a.dataset
  LEFT JOIN unanswered u ON u.dataset = a.dataset AND u.person = a.person
  LEFT JOIN wrong_rows w ON w.dataset = a.dataset AND w.person = a.person
)
SELECT dataset, person, state, as_of, extract_digest, quarantined_rows, reason FROM persons
UNION ALL
SELECT dataset, NULL, state, NULL, NULL, 0, NULL FROM queries WHERE person IS NULL
ORDER BY dataset, person, state
