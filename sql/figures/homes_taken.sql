-- R50: whether those who count hold a home whose demolition or expropriation lies ahead, and whether they had one that is
-- gone, or of which nobody says since when. A compensation does not say which home it is for.
SELECT
  request_id,
  BOOL_OR(held AND status_on IS NOT NULL) AS standing,
  BOOL_OR(status_on IS NULL OR status_on <= reference_date) AS gone
FROM member_holdings
WHERE status IN ('demolished', 'expropriated') AND counted AND COALESCE(reason, 'ended_on_unknown') = 'ended_on_unknown'
  AND (acquired_on IS NULL OR acquired_on <= reference_date)
GROUP BY request_id
