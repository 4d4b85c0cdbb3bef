-- Cash value to the policyholder, never the sum insured (R59).
SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  'insurance' AS class,
  CAST(policy AS VARCHAR) AS asset,
  kind AS label,
  'sole' AS ownership,
  cash_value_fen AS value_fen, 'CNY' AS currency,
  CASE WHEN state = 'surrendered' THEN 'surrendered' ELSE 'held' END AS status, as_of
FROM insurers__policies
