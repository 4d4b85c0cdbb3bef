-- Arrears (补发) carry the month they are for, so they fall into their own period (R35, R37).
SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  'transfer' AS category,
  CASE WHEN kind = 'resident_basic' THEN 'resident_basic_pension' ELSE 'pension_' || kind END AS kind,
  month AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  paid_on,
  amount_fen,
  CASE WHEN arrears THEN 'arrears' END AS one_off,
  'original' AS mark
FROM social_security__pensions
