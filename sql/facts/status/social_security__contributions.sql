-- A contribution base is not income (R41): it only says that somebody was employed in that month.
SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  'contribution' AS kind,
  month AS from_on,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS to_on,
  employer_code AS detail
FROM social_security__contributions
WHERE state <> 'exempt' AND employer_code IS NOT NULL
