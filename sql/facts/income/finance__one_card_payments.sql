-- A subsidy belongs to the month it is for, whenever it was paid (R35). Compensation stands in the place of a thing
-- that was owned, so it is property and no transfer (R50).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE WHEN project = 'expropriation_compensation' THEN 'property' ELSE 'transfer' END AS category,
  project AS kind,
  month AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  paid_on,
  amount_fen,
  record_ref,
  'original' AS mark
FROM finance__one_card_payments
