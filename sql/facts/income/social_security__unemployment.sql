-- One record covers several months at one monthly amount: one fact per month.
WITH months AS (
  SELECT
    *, EXTRACT(YEAR FROM from_month) * 12 + EXTRACT(MONTH FROM from_month) AS first_month,
    UNNEST(range(CAST(from_month AS TIMESTAMP), CAST(to_month AS TIMESTAMP) + INTERVAL 1 MONTH, INTERVAL 1 MONTH)) AS month
  FROM social_security__unemployment
)
SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  CAST(EXTRACT(YEAR FROM month) * 12 + EXTRACT(MONTH FROM month) - first_month AS INTEGER) AS part,
  'transfer' AS category,
  'unemployment_benefit' AS kind,
  CAST(month AS DATE) AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  monthly_amount_fen AS amount_fen,
  'original' AS mark
FROM months
