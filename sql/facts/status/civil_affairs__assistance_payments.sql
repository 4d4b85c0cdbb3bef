-- In payment under a programme in that month (R73).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'in_payment' AS kind,
  month AS from_on,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS to_on,
  programme AS detail
FROM civil_affairs__assistance_payments
WHERE amount_fen > 0
