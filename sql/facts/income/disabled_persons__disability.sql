-- The two allowances are incomes of their own kind, one fact per month from their first month to the day of the data,
-- or to the end of the certificate. Nothing asks for months of more than five years ago.
WITH paid AS (
  SELECT *, 'disability_living_allowance' AS allowance, living_allowance_fen AS amount_fen
  FROM disabled_persons__disability
  WHERE living_allowance_fen > 0
  UNION ALL
  SELECT *, 'disability_nursing_allowance' AS allowance, nursing_allowance_fen AS amount_fen
  FROM disabled_persons__disability
  WHERE nursing_allowance_fen > 0
),
months AS (
  SELECT *, UNNEST(range(
    CAST(GREATEST(COALESCE(from_month, date_trunc('month', issued_on)), date_trunc('month', as_of) - INTERVAL 5 YEAR) AS TIMESTAMP),
    CAST(LEAST(COALESCE(cancelled_on, as_of), as_of) AS TIMESTAMP) + INTERVAL 1 DAY, INTERVAL 1 MONTH)) AS month
  FROM paid
)
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'transfer' AS category,
  allowance AS kind,
  CAST(month AS DATE) AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  amount_fen,
  'original' AS mark
FROM months
