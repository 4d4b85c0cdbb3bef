-- Two independent answers (rules.md section 1). `within_limits` needs every test satisfied and every required source (R6);
-- a programme without tests says so, and neither that something is within nor that something is missing.
WITH limits AS (
  SELECT
    request_id,
    BOOL_OR(result = 'exceeded') AS any_exceeded,
    BOOL_AND(result = 'satisfied') AS all_satisfied
  FROM tests
  GROUP BY request_id
),
declared AS (
  SELECT
    request_id,
    CASE WHEN BOOL_OR(result = 'differs') THEN 'differs' WHEN BOOL_OR(result = 'undetermined') THEN 'undetermined'
      ELSE 'matches' END AS declaration
  FROM declaration
  GROUP BY request_id
)
SELECT
  h.request_id,
  CASE
    WHEN l.request_id IS NULL THEN 'not_tested'
    WHEN l.any_exceeded THEN 'over_limit'
    WHEN l.all_satisfied AND NOT EXISTS (SELECT 1 FROM gaps g WHERE g.request_id = h.request_id) THEN 'within_limits'
    ELSE 'undetermined'
  END AS limits,
  COALESCE(d.declaration, 'undetermined') AS declaration
FROM households h
LEFT JOIN limits l ON l.request_id = h.request_id
LEFT JOIN declared d ON d.request_id = h.request_id
