-- A filing (网签备案) makes its buyer the holder until a title says so itself; to its seller it is a sale with proceeds.
SELECT
  buyer AS person, buyer_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'dwelling' AS class,
  COALESCE(CAST(unit AS VARCHAR), 'filing ' || filing_number) AS asset,
  'filing' AS label,
  'sole' AS ownership, 10000 AS share_bp,
  CASE WHEN state = 'cancelled' THEN 'cancelled' ELSE 'held' END AS status,
  CASE WHEN state = 'cancelled' THEN filed_on END AS status_on,
  filed_on AS acquired_on,
  CAST(NULL AS BIGINT) AS proceeds_fen
FROM housing__online_filing
UNION ALL BY NAME
SELECT
  seller AS person, seller_name AS name_token,
  dataset, extract_digest, row_no, row_digest, 1 AS part,
  'sale' AS class,
  COALESCE(CAST(unit AS VARCHAR), 'filing ' || filing_number) AS asset,
  'filing' AS label,
  'sold' AS status,
  filed_on AS status_on,
  price_fen AS proceeds_fen
FROM housing__online_filing
WHERE seller IS NOT NULL AND state <> 'cancelled'
