SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  'property' AS category,
  'interest' AS kind,
  period_from,
  period_to + 1 AS period_to,
  'irregular' AS granularity,
  amount_fen,
  CAST(account AS VARCHAR) AS record_ref,
  'original' AS mark
FROM banks__account_interest
