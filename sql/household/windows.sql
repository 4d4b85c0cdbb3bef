-- One row per request: the income window is the N whole calendar months before the reference date (R46).
SELECT
  r.request_id, r.policy_id, r.programme, r.division, r.area_kind, r.application_date, r.reference_date,
  CAST(date_trunc('month', r.reference_date) - to_months(p.window_months) AS DATE) AS window_from,
  CAST(date_trunc('month', r.reference_date) AS DATE) AS window_to,
  p.window_months
FROM requests r
JOIN policy p USING (policy_id)
