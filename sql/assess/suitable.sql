-- What the tests of each programme for referral say together; never within while a source that it requires is missing (R6).
WITH answers AS (
  SELECT
    request_id, programme, BOOL_OR(result = 'exceeded') AS any_exceeded, BOOL_AND(result = 'satisfied') AS all_satisfied
  FROM suitable_tests
  GROUP BY request_id, programme
)
SELECT
  a.request_id, a.programme,
  CASE
    WHEN a.any_exceeded THEN 'over_limit'
    WHEN a.all_satisfied AND NOT EXISTS (SELECT 1 FROM gaps g WHERE g.request_id = a.request_id)
      AND NOT COALESCE(list_contains(s.programmes, a.programme), FALSE) THEN 'within_limits'
    ELSE 'undetermined'
  END AS limits
FROM answers a
LEFT JOIN suitable_gaps s ON s.request_id = a.request_id
