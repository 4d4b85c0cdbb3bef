-- Ill from the day of registration until the case was closed.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'severe_illness' AS kind,
  registered_on AS from_on,
  closed_on AS to_on,
  kind AS detail
FROM health__severe_illness
