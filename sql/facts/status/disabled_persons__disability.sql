SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'disability' AS kind,
  issued_on AS from_on,
  cancelled_on AS to_on,
  kind || ' ' || level AS detail
FROM disabled_persons__disability
