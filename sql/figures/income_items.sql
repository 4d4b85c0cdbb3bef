-- The lines of one member, payer and kind that are treated alike, as one item of the report; and what is due from persons
-- with a duty of support (R27).
WITH grouped AS (
SELECT
  request_id,
  member_no, category, kind, payer, MAX(payer_name) AS payer_name, NULLIF(one_off, '') AS one_off, dataset, granularity,
  MIN(period_from) AS period_from, MAX(period_to) AS period_to, MIN(paid_on) AS paid_on_min,
  CAST(SUM(amount_fen) AS BIGINT) AS amount_fen,
  CAST(SUM(low_fen) AS BIGINT) AS low_fen,
  CAST(SUM(high_fen) AS BIGINT) AS high_fen,
  treatment, reason,
  CASE
    WHEN reason IN ('under_objection', 'correction_awaited') THEN 'R69'
    WHEN reason = 'identity_conflict' THEN 'R12' WHEN reason = 'after_death' THEN 'R21' WHEN reason = 'stale' THEN 'R4'
    WHEN treatment = 'excluded' THEN 'R42' WHEN treatment = 'exempt' THEN 'R55'
    WHEN treatment = 'duplicate' THEN CASE WHEN granularity = 'annual' THEN 'R36' WHEN kind = 'interest' THEN 'R56'
      WHEN reason = 'compensated_home_held' THEN 'R50' ELSE 'R40' END
    WHEN treatment = 'netted' THEN 'R39' WHEN treatment = 'loss' THEN 'R43' WHEN reason = 'annual_only' THEN 'R36'
    WHEN reason = 'straddles_window' THEN 'R46' WHEN reason = 'correction_unclear' THEN 'R39'
    WHEN reason = 'compensation_unclear' THEN 'R50'
    WHEN reason IN ('payer_unknown', 'wage_unclear') THEN 'R40' WHEN reason = 'joint_account_unknown_shares' THEN 'R56'
    WHEN reason = 'conflicting_rows' THEN 'R8' WHEN treatment = 'not_counted' THEN 'R28'
    WHEN one_off <> '' THEN 'R37' ELSE 'R35'
  END AS rule,
  MIN(cites) AS cites,
  list_sort(LIST(fact_no)) AS facts
FROM income_lines
GROUP BY request_id, member_no, category, kind, payer, one_off, dataset, granularity, treatment, reason
),
due AS (
  SELECT
    request_id, member_no, 'transfer' AS category, 'support_due' AS kind, '' AS payer, CAST(NULL AS VARCHAR) AS payer_name,
    CAST(NULL AS VARCHAR) AS one_off, dataset, 'irregular' AS granularity, window_from AS period_from, window_to AS period_to,
    CAST(NULL AS DATE) AS paid_on_min, COALESCE(high_fen, low_fen) AS amount_fen, low_fen, high_fen,
    CASE WHEN low_fen = high_fen THEN 'counted' ELSE 'disputed' END AS treatment,
    CASE WHEN low_fen = high_fen THEN NULL WHEN missing IS NOT NULL THEN 'support_not_covered' WHEN told THEN 'support_uncertain'
      ELSE 'support_not_told' END AS reason,
    'R27' AS rule, CAST(NULL AS VARCHAR) AS cites, facts
  FROM support_lines
  WHERE len(facts) > 0
)
SELECT
  *,
  CAST(ROW_NUMBER() OVER (
    PARTITION BY request_id
    ORDER BY member_no, category, kind, one_off NULLS FIRST, payer, dataset, granularity, treatment, COALESCE(reason, '')
  ) AS INTEGER) AS item_no
FROM (SELECT * FROM grouped UNION ALL BY NAME SELECT * FROM due)
