SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE WHEN status = 'dead' THEN 'death' ELSE 'registered' END AS kind,
  CASE WHEN status = 'dead' THEN status_on END AS from_on,
  status AS detail
FROM public_security__household_registration
