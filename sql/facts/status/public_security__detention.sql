-- A sentence and compulsory treatment go by the names that packs give them; remand and administrative detention are
-- `detention`, which takes nobody out of a household unless a pack says so (R23).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE WHEN kind IN ('prison', 'compulsory_treatment') THEN kind ELSE 'detention' END AS kind,
  from_on,
  to_on,
  kind AS detail
FROM public_security__detention
