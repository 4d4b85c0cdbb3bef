-- One row covers all months from its first to its last, or to the day of the data: one fact per month. Nothing asks
-- for months of more than five years ago, so older ones are not told.
WITH months AS (
  SELECT *, EXTRACT(YEAR FROM as_of) * 12 + EXTRACT(MONTH FROM as_of) AS last_month, UNNEST(range(
    CAST(GREATEST(from_month, date_trunc('month', as_of) - INTERVAL 5 YEAR) AS TIMESTAMP),
    CAST(LEAST(COALESCE(to_month, as_of), as_of) AS TIMESTAMP) + INTERVAL 1 DAY, INTERVAL 1 MONTH)) AS month
  FROM veterans__veteran_benefits
)
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CAST(EXTRACT(YEAR FROM month) * 12 + EXTRACT(MONTH FROM month) - last_month + 60 AS INTEGER) AS part,
  'transfer' AS category,
  'veteran_benefit_' || kind AS kind,
  CAST(month AS DATE) AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  monthly_amount_fen AS amount_fen,
  'original' AS mark
FROM months
