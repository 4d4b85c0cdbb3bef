-- Yearly settlement: a figure for a whole year, never spread over its months (R36).
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE
    WHEN item IN ('wage', 'labour') THEN 'wage'
    WHEN item = 'business' THEN 'business'
    WHEN item = 'incidental' THEN 'transfer'
    ELSE 'property'
  END AS category,
  item AS kind,
  make_date(year, 1, 1) AS period_from,
  make_date(year + 1, 1, 1) AS period_to,
  'annual' AS granularity,
  amount_fen,
  record_ref,
  'original' AS mark
FROM taxation__annual_settlement
