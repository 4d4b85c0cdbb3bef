-- One row per business, person and role; the credit code names the business, so that its roles make one (R54).
-- A business whose licence was revoked carries on nothing from that day, though its registration still stands.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'business' AS class,
  credit_code AS asset,
  kind AS label,
  business_name AS display,
  share_bp,
  subscribed_fen AS value_fen, 'CNY' AS currency,
  CASE WHEN state = 'active' THEN 'held' ELSE state END AS status,
  CASE WHEN state <> 'active' THEN COALESCE(revoked_on, cancelled_on) END AS status_on,
  established_on AS acquired_on,
  contested
FROM market_regulation__business_registration
