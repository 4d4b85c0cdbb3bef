-- Requests that are verified again, each with every reason (R73). Reads last_reports (request_id, issued_on, is_same
-- application, is_readable), requests and policy of tonight, standing_before and standing_now as of standing.sql.
WITH reasons AS (
  SELECT request_id, 'application' AS reason FROM last_reports WHERE NOT is_same_application
  UNION ALL
  SELECT request_id, 'not_comparable' FROM last_reports WHERE NOT is_readable
  UNION ALL
  SELECT l.request_id, 'age'
  FROM last_reports l
  JOIN requests r USING (request_id)
  JOIN policy p USING (policy_id)
  WHERE CAST(l.issued_on + to_months(CAST(p.validity_months AS INTEGER)) AS DATE) <= $today
  UNION ALL
  -- A source that does not answer tonight has changed nothing; one that answers again has.
  SELECT DISTINCT n.request_id, CASE WHEN n.dataset = '' THEN 'authorisation' ELSE 'source' END
  FROM standing_now n
  JOIN last_reports l ON l.request_id = n.request_id AND l.is_readable
  LEFT JOIN standing_before b ON b.request_id = n.request_id AND b.dataset = n.dataset
  WHERE n.is_covered AND (b.request_id IS NULL OR NOT b.is_covered OR b.digest <> n.digest)
)
SELECT request_id, list_sort(list_distinct(list(reason))) AS reasons
FROM reasons
GROUP BY request_id
ORDER BY request_id
