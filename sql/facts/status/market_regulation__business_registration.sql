-- Who runs a business of their own is self-employed while it is registered; one that a stranger registered in their
-- name says nothing about them (R45, R54).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'self_employed' AS kind,
  established_on AS from_on,
  CASE WHEN state <> 'active' THEN COALESCE(revoked_on, cancelled_on) END AS to_on,
  credit_code AS detail
FROM market_regulation__business_registration
WHERE role = 'operator' AND NOT contested AND (state = 'active' OR COALESCE(revoked_on, cancelled_on) IS NOT NULL)
