-- One account number may hold several balances: a term deposit beside the current one, another currency. Each is a
-- thing of its own; the current balance in CNY goes by the number alone.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'deposit' AS class,
  CAST(account AS VARCHAR) || CASE WHEN kind <> 'current' THEN ' ' || kind ELSE '' END
    || CASE WHEN currency <> 'CNY' THEN ' ' || currency ELSE '' END AS asset,
  bank || ' ****' || account_last4 AS label,
  CASE WHEN len(COALESCE(co_holders, [])) > 0 THEN CASE WHEN share_bp IS NULL THEN 'joint' ELSE 'shares' END ELSE 'sole' END
    AS ownership,
  share_bp, co_holders,
  balance_fen AS value_fen, currency,
  'held' AS status, as_of, custodial
FROM banks__deposits
