SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  'wallet' AS class,
  CAST(wallet AS VARCHAR) AS asset,
  institution AS label,
  'sole' AS ownership,
  balance_fen AS value_fen, 'CNY' AS currency,
  'held' AS status, as_of,
  CAST(mirrors AS VARCHAR) AS mirrors
FROM banks__wallets
