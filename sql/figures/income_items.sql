-- The lines of one member, payer and kind that are treated alike, as one item of the report.
SELECT
  request_id,
  CAST(ROW_NUMBER() OVER (
    PARTITION BY request_id ORDER BY member_no, category, kind, payer, dataset, granularity, treatment, COALESCE(reason, '')
  ) AS INTEGER) AS item_no,
  member_no, category, kind, payer, MAX(payer_name) AS payer_name, dataset, granularity,
  MIN(period_from) AS period_from, MAX(period_to) AS period_to, MIN(paid_on) AS paid_on_min,
  CAST(SUM(amount_fen) AS BIGINT) AS amount_fen,
  CAST(SUM(low_fen) AS BIGINT) AS low_fen,
  CAST(SUM(high_fen) AS BIGINT) AS high_fen,
  treatment, reason,
  CASE
    WHEN reason IN ('under_objection', 'correction_awaited') THEN 'R69'
    WHEN reason = 'identity_conflict' THEN 'R12' WHEN reason = 'after_death' THEN 'R21' WHEN reason = 'stale' THEN 'R4'
    WHEN treatment = 'excluded' THEN 'R42' WHEN treatment = 'duplicate' THEN 'R40' WHEN treatment = 'netted' THEN 'R39'
    WHEN treatment = 'loss' THEN 'R43' WHEN reason = 'annual_only' THEN 'R36' WHEN reason = 'straddles_window' THEN 'R46' WHEN reason = 'correction_unclear' THEN 'R39'
    WHEN treatment = 'not_counted' THEN 'R28' ELSE 'R35'
  END AS rule,
  MIN(cites) AS cites,
  list_sort(LIST(fact_no)) AS facts
FROM income_lines
GROUP BY request_id, member_no, category, kind, payer, dataset, granularity, treatment, reason
