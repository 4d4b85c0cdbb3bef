SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'death' AS kind,
  COALESCE(died_on, cremated_on) AS from_on
FROM civil_affairs__death_funeral
