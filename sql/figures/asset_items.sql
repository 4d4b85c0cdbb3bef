-- Every thing as an interval: money by the recorded share (R47), homes and vehicles as counts of one.
WITH portions AS (
  SELECT
    *,
    class IN ('deposit', 'wallet', 'security', 'insurance') AS financial,
    CASE WHEN outside AND shares_known THEN CAST(value_fen * share_bp // 10000 AS BIGINT) ELSE value_fen END AS portion_fen
  FROM asset_treatment
)
SELECT
  request_id,
  CAST(ROW_NUMBER() OVER (PARTITION BY request_id ORDER BY class, asset) AS INTEGER) AS item_no,
  member_no, dataset, class, label, asset, share_bp, value_fen,
  CASE
    WHEN class = 'dwelling' THEN 'homes' WHEN class = 'vehicle' THEN 'vehicles' WHEN class = 'business' THEN 'businesses'
    WHEN financial THEN 'financial_assets'
  END AS figure,
  CASE WHEN treatment <> 'counted' THEN 0 WHEN financial THEN portion_fen ELSE 1 END AS low,
  CASE
    WHEN treatment = 'unpriced' THEN NULL
    WHEN treatment NOT IN ('counted', 'disputed') THEN 0
    WHEN financial THEN portion_fen ELSE 1
  END AS high,
  treatment, why AS reason,
  CASE
    WHEN why IN ('under_objection', 'correction_awaited') THEN 'R69'
    WHEN why = 'identity_conflict' THEN 'R12' WHEN why = 'after_death' THEN 'R21' WHEN why = 'stale' THEN 'R4'
    WHEN why = 'ended_on_unknown' THEN CASE WHEN class = 'vehicle' THEN 'R52' ELSE 'R49' END
    WHEN why = 'custodial' THEN 'R55' WHEN why = 'mirrors_account' THEN 'R57' WHEN why = 'share_unknown' THEN 'R47'
    WHEN why = 'joint_account_unknown_shares' THEN 'R56' WHEN why = 'no_exchange_rate' THEN 'R58'
    WHEN treatment = 'exempt' THEN 'R53' WHEN treatment = 'not_counted' THEN 'R28'
    WHEN treatment = 'not_held' THEN CASE WHEN class = 'vehicle' THEN 'R52' ELSE 'R49' END
    WHEN class = 'insurance' THEN 'R59' WHEN class = 'dwelling' THEN 'R47' WHEN class = 'deposit' THEN 'R56'
    ELSE 'R25'
  END AS rule,
  cites, status, status_on, currency, as_of, display, facts
FROM portions
