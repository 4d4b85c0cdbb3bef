-- What is paid as assistance: the pack says that it is no income (R42); the report shows it all the same.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'transfer' AS category,
  'assistance_' || programme AS kind,
  month AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  amount_fen,
  'original' AS mark
FROM civil_affairs__assistance_payments
