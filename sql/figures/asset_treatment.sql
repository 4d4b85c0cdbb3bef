-- How each thing counts, and why: the first reason that holds.
WITH accounts AS (
  SELECT DISTINCT request_id, split_part(asset, ' ', 1) AS account
  FROM assets
  WHERE class IN ('deposit', 'wallet') AND held AND counted
),
known AS (
  SELECT
    a.*, h.share_bp, COALESCE(h.outside, FALSE) AS outside, COALESCE(h.shares_known, FALSE) AS shares_known,
    a.class IN ('deposit', 'wallet', 'security', 'insurance') AS financial,
    m.account IS NOT NULL AS mirrored, v.state AS exemption, v.cites,
    x.currency IS NOT NULL AS priced, x.rate, x.unit AS rate_unit, x.published_on AS rate_on, x.source AS rate_source,
    -- R58: whole fen, rounded down
    CASE WHEN a.currency = 'CNY' THEN a.value_fen
      ELSE CAST(CAST(a.value_fen AS HUGEINT) * x.rate_micro // (x.unit * 1000000) AS BIGINT) END AS cny_fen
  FROM assets a
  LEFT JOIN holders h ON h.request_id = a.request_id AND h.asset = a.asset AND h.class = a.class
  LEFT JOIN vehicle_exemptions v ON v.request_id = a.request_id AND v.asset = a.asset AND a.class = 'vehicle'
  LEFT JOIN accounts m ON m.request_id = a.request_id AND m.account = a.mirrors
  LEFT JOIN exchange_rates x
    ON x.currency = a.currency AND COALESCE(a.as_of, a.reference_date) BETWEEN x.published_on AND x.last_day
),
reasoned AS (
  SELECT
    k.*,
    CASE
      WHEN NOT k.counted AND NOT k.after_death THEN ['not_counted', 'not_counted']
      WHEN NOT k.held THEN ['not_held', k.status]
      WHEN k.custodial THEN ['exempt', 'custodial']
      WHEN k.exemption = 'exempt' THEN ['exempt', k.use_character]
      WHEN k.mirrored THEN ['mirrored', 'mirrors_account']
      WHEN k.reason IS NOT NULL THEN ['disputed', k.reason]
      WHEN k.class = 'dwelling' AND NOT k.shares_known THEN ['disputed', 'share_unknown']
      WHEN k.class = 'deposit' AND k.outside AND NOT k.shares_known THEN ['disputed', 'joint_account_unknown_shares']
      WHEN k.exemption = 'evidence_unknown' THEN ['disputed', 'evidence_unknown']
      WHEN k.exemption = 'no_evidence' THEN ['counted', 'no_evidence']
      WHEN k.financial AND k.currency <> 'CNY' AND NOT k.priced THEN ['unpriced', 'no_exchange_rate']
      WHEN k.financial AND k.value_fen IS NULL THEN ['unpriced', 'value_unknown']
      WHEN k.suspended THEN ['counted', 'price_suspended']
      ELSE ['counted', NULL]
    END AS verdict
  FROM known k
)
SELECT * EXCLUDE (verdict), verdict[1] AS treatment, verdict[2] AS why
FROM reasoned
