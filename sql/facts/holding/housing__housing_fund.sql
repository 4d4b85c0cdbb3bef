-- The balance of an account's newest month; a class of its own, which feeds no figure (docs/decisions/0014).
WITH newest AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY account, person ORDER BY month DESC, record_ref DESC) AS place
  FROM housing__housing_fund
)
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'housing_fund' AS class,
  CAST(account AS VARCHAR) AS asset,
  'sole' AS ownership, 10000 AS share_bp,
  balance_fen AS value_fen, 'CNY' AS currency,
  'held' AS status,
  month AS as_of
FROM newest
WHERE place = 1
