-- The two allowances are incomes of their own kind, one fact per month from their first month to the day of the data,
-- or to the end of the certificate. Nothing asks for months of more than five years ago.
WITH paid AS (
  SELECT *, 'disability_living_allowance' AS allowance, 0 AS place, living_allowance_fen AS amount_fen
  FROM disabled_persons__disability
  WHERE living_allowance_fen > 0
  UNION ALL
  SELECT *, 'disability_nursing_allowance' AS allowance, 1 AS place, nursing_allowance_fen AS amount_fen
  FROM disabled_persons__disability
  WHERE nursing_allowance_fen > 0
),
months AS (
  SELECT *, EXTRACT(YEAR FROM as_of) * 12 + EXTRACT(MONTH FROM as_of) AS last_month, UNNEST(range(
    CAST(GREATEST(COALESCE(from_month, date_trunc('month', issued_on)), date_trunc('month', as_of) - INTERVAL 5 YEAR) AS TIMESTAMP),
    CAST(LEAST(COALESCE(cancelled_on, as_of), as_of) AS TIMESTAMP) + INTERVAL 1 DAY, INTERVAL 1 MONTH)) AS month
  FROM paid
)
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CAST((EXTRACT(YEAR FROM month) * 12 + EXTRACT(MONTH FROM month) - last_month + 60) * 2 + place AS INTEGER) AS part,
  'transfer' AS category,
  allowance AS kind,
  CAST(month AS DATE) AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  amount_fen,
  'original' AS mark
FROM months
