-- Rigid expenditure as items, and what of each is deducted from income (R46a): the pack's share of what was paid, up to
-- its cap for the household, kind and window. What is certain goes first, so that the cap is not used up by the rest.
WITH grouped AS (
  SELECT
    e.request_id, e.member_no, e.policy_id, e.kind, e.dataset, e.reason,
    CASE WHEN NOT e.counted THEN 'not_counted' WHEN d.kind IS NULL THEN 'shown' WHEN e.reason IS NULL THEN 'counted'
      ELSE 'disputed' END AS treatment,
    MIN(e.period_from) AS period_from, MAX(e.period_to) AS period_to, CAST(SUM(e.amount_fen) AS BIGINT) AS amount_fen,
    MIN(d.rate_bp) AS rate_bp, MIN(d.cap_fen) AS cap_fen, MIN(d.cites) AS cites, list_sort(LIST(e.fact_no)) AS facts
  FROM member_expenses e
  LEFT JOIN policy_expense_deductions d ON d.policy_id = e.policy_id AND d.kind = e.kind
  GROUP BY e.request_id, e.member_no, e.policy_id, e.kind, e.dataset, e.reason, treatment
),
running AS (
  SELECT *, CAST(GREATEST(SUM(CASE WHEN treatment IN ('counted', 'disputed') THEN amount_fen ELSE 0 END) OVER (
      PARTITION BY request_id, kind ORDER BY treatment, member_no, dataset, reason NULLS FIRST ROWS UNBOUNDED PRECEDING
    ), 0) AS BIGINT) AS paid_until
  FROM grouped
),
reached AS (
  SELECT *, LEAST(paid_until * rate_bp // 10000, COALESCE(cap_fen, 9223372036854775807)) AS deducted_until
  FROM running
),
portions AS (
  SELECT *, deducted_until - COALESCE(LAG(deducted_until) OVER (
      PARTITION BY request_id, kind ORDER BY treatment, member_no, dataset, reason NULLS FIRST
    ), 0) AS portion_fen
  FROM reached
)
SELECT
  request_id,
  CAST(ROW_NUMBER() OVER (PARTITION BY request_id ORDER BY member_no, kind, dataset, treatment, reason) AS INTEGER) AS item_no,
  member_no, kind, dataset, period_from, period_to, amount_fen,
  CAST(CASE WHEN treatment = 'counted' THEN portion_fen ELSE 0 END AS BIGINT) AS low_fen,
  CAST(CASE WHEN treatment IN ('counted', 'disputed') THEN GREATEST(portion_fen, 0) ELSE 0 END AS BIGINT) AS high_fen,
  treatment, CASE WHEN treatment = 'disputed' THEN reason END AS reason,
  CASE WHEN treatment = 'disputed' AND reason IN ('under_objection', 'correction_awaited') THEN 'R69' ELSE 'R46a' END AS rule, cites, facts
FROM portions
