SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  'security' AS class,
  CAST(account AS VARCHAR) AS asset,
  'sole' AS ownership,
  market_value_fen + cash_fen AS value_fen, 'CNY' AS currency,
  'held' AS status, as_of, suspended
FROM securities__holdings
