-- Every thing as an interval: money by the recorded share (R47), homes and vehicles as counts of one.
WITH portions AS (
  SELECT
    t.*,
    CASE WHEN t.outside AND t.shares_known THEN CAST(t.cny_fen * t.share_bp // 10000 AS BIGINT) ELSE t.cny_fen END AS portion_fen,
    -- R51: what is owed on it is shown, and taken off its value only if the pack says so
    CASE WHEN p.mortgage_netted AND t.value_fen IS NOT NULL THEN GREATEST(t.value_fen - COALESCE(t.mortgage_fen, 0), 0)
      ELSE t.value_fen END AS net_fen
  FROM asset_treatment t
  JOIN policy p USING (policy_id)
)
SELECT
  request_id,
  CAST(ROW_NUMBER() OVER (PARTITION BY request_id ORDER BY class, asset) AS INTEGER) AS item_no,
  member_no, dataset, class, label, asset, share_bp, value_fen, mortgage_fen, net_fen,
  CASE
    WHEN class = 'dwelling' THEN 'homes' WHEN class = 'vehicle' THEN 'vehicles' WHEN class = 'business' THEN 'businesses'
    WHEN financial THEN 'financial_assets'
  END AS figure,
  CASE WHEN treatment <> 'counted' THEN 0 WHEN financial THEN portion_fen ELSE 1 END AS low,
  CASE
    WHEN treatment = 'unpriced' OR (treatment = 'disputed' AND financial AND portion_fen IS NULL) THEN NULL
    WHEN treatment NOT IN ('counted', 'disputed') THEN 0
    WHEN financial THEN portion_fen ELSE 1
  END AS high,
  treatment, why AS reason,
  CASE
    WHEN why IN ('under_objection', 'correction_awaited') THEN 'R69'
    WHEN why = 'identity_conflict' THEN 'R12' WHEN why = 'after_death' THEN 'R21' WHEN why = 'stale' THEN 'R4'
    WHEN why = 'conflicting_rows' THEN 'R8' WHEN why = 'contested_registration' THEN 'R54'
    WHEN why = 'sale_unclear' THEN 'R49' WHEN why = 'price_suspended' THEN 'R60' WHEN why = 'value_unknown' THEN 'R59'
    WHEN why IN ('no_evidence', 'evidence_unknown') THEN 'R53'
    WHEN why IN ('demolished', 'expropriated') THEN 'R50'
    WHEN why = 'ended_on_unknown' OR treatment = 'not_held'
      THEN CASE WHEN class = 'vehicle' THEN 'R52' WHEN class = 'business' THEN 'R54' ELSE 'R49' END
    WHEN why = 'custodial' THEN 'R55' WHEN why = 'mirrors_account' THEN 'R57' WHEN why = 'share_unknown' THEN 'R47'
    WHEN why = 'joint_account_unknown_shares' THEN 'R56' WHEN why = 'no_exchange_rate' THEN 'R58'
    WHEN treatment = 'exempt' THEN 'R53' WHEN treatment = 'not_counted' THEN 'R28'
    WHEN rate IS NOT NULL THEN 'R58'
    WHEN class = 'insurance' THEN 'R59' WHEN class = 'dwelling' THEN 'R47' WHEN class = 'deposit' THEN 'R56'
    WHEN class = 'business' THEN 'R54'
    ELSE 'R25'
  END AS rule,
  cites, status, status_on, currency, rate, rate_unit, rate_on, rate_source, as_of, display, facts
FROM portions
