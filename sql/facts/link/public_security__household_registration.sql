-- Only an official link record makes two ID numbers one person (R16).
SELECT person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'same_person' AS kind, linked_person AS other
FROM public_security__household_registration
WHERE linked_person IS NOT NULL
