-- A subsidy belongs to the month it was paid in; where only its year is told, to that year, which is not spread (R36).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'transfer' AS category,
  'agricultural_' || kind AS kind,
  COALESCE(CAST(date_trunc('month', paid_on) AS DATE), make_date(year, 1, 1)) AS period_from,
  COALESCE(CAST(date_trunc('month', paid_on) + INTERVAL 1 MONTH AS DATE), make_date(year + 1, 1, 1)) AS period_to,
  CASE WHEN paid_on IS NULL THEN 'annual' ELSE 'month' END AS granularity,
  paid_on,
  amount_fen,
  'original' AS mark
FROM agriculture__subsidies
