-- How each thing counts, and why: the first reason that holds.
SELECT
  a.*, h.share_bp, COALESCE(h.outside, FALSE) AS outside, COALESCE(h.shares_known, FALSE) AS shares_known,
  CASE
    WHEN NOT a.counted AND COALESCE(a.reason, '') <> 'after_death' THEN 'not_counted'
    WHEN NOT a.held THEN 'not_held'
    WHEN a.custodial THEN 'exempt'
    WHEN v.use_character IS NOT NULL AND a.class = 'vehicle' THEN 'exempt'
    WHEN m.asset IS NOT NULL THEN 'mirrored'
    WHEN a.reason IS NOT NULL THEN 'disputed'
    WHEN a.class = 'dwelling' AND h.shares_known IS NOT TRUE THEN 'disputed'
    WHEN a.class = 'deposit' AND h.outside AND NOT h.shares_known THEN 'disputed'
    WHEN a.currency <> 'CNY' THEN 'unpriced'
    ELSE 'counted'
  END AS treatment,
  CASE
    WHEN NOT a.counted AND COALESCE(a.reason, '') <> 'after_death' THEN 'not_counted'
    WHEN NOT a.held THEN a.status
    WHEN a.custodial THEN 'custodial'
    WHEN v.use_character IS NOT NULL AND a.class = 'vehicle' THEN a.use_character
    WHEN m.asset IS NOT NULL THEN 'mirrors_account'
    WHEN a.reason IS NOT NULL THEN a.reason
    WHEN a.class = 'dwelling' AND h.shares_known IS NOT TRUE THEN 'share_unknown'
    WHEN a.class = 'deposit' AND h.outside AND NOT h.shares_known THEN 'joint_account_unknown_shares'
    WHEN a.currency <> 'CNY' THEN 'no_exchange_rate'
  END AS why,
  v.cites
FROM assets a
LEFT JOIN holders h ON h.request_id = a.request_id AND h.asset = a.asset AND h.class = a.class
LEFT JOIN policy_vehicle_exempt v ON v.policy_id = a.policy_id AND v.use_character = a.use_character
LEFT JOIN (SELECT DISTINCT request_id, split_part(asset, ' ', 1) AS asset FROM assets WHERE class IN ('deposit', 'wallet') AND held AND counted) m
  ON m.request_id = a.request_id AND m.asset = a.mirrors
