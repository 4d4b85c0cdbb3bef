SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'veteran' AS kind,
  from_month AS from_on,
  CAST(to_month + INTERVAL 1 MONTH AS DATE) AS to_on,
  kind AS detail
FROM veterans__veteran_benefits
