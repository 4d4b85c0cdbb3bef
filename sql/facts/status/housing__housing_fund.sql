-- An employer paid into the fund for that month: evidence of employment, as a contribution is (R41).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'housing_fund' AS kind,
  month AS from_on,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS to_on,
  employer_code AS detail
FROM housing__housing_fund
WHERE deposit_fen > 0
