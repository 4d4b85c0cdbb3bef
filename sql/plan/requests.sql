-- Documents as requests, each with the policy that its programme, place, kind of area and application date have (R63).
SELECT
  d.request_id, k.policy_id, d.programme, d.division, d.area_kind, d.application_date,
  COALESCE(d.reference_date, d.application_date) AS reference_date, d.requester, d.purpose
FROM documents d
JOIN policy_keys k USING (programme, division, area_kind, application_date)
