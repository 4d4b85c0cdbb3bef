-- One line per member, payer, kind and period: what counts after corrections (R39) and double reporting (R40).
WITH corrected AS (
  -- a correction stands in the place of what it corrects; a reversal is a negative amount beside it
  SELECT
    i.*,
    EXISTS (
      SELECT 1 FROM member_income c
      WHERE c.mark = 'correction' AND c.request_id = i.request_id AND c.member_no = i.member_no
        AND c.dataset = i.dataset AND c.correction_of = i.record_ref
    ) AS replaced
  FROM member_income i
),
lines AS (
  SELECT
    request_id, member_no, counted, policy_id, category, kind, payer, dataset, granularity, period_from, period_to, reason,
    MIN(paid_on) AS paid_on,
    SUM(CASE WHEN replaced THEN 0 ELSE amount_fen END) AS amount_fen,
    COUNT(*) FILTER (mark <> 'original') > 0 AS netted,
    LIST({'dataset': dataset, 'extract_digest': extract_digest, 'row_no': row_no, 'row_digest': row_digest}
         ORDER BY extract_digest, row_no) AS facts
  FROM corrected
  GROUP BY request_id, member_no, counted, policy_id, category, kind, payer, dataset, granularity, period_from, period_to,
    reason
),
ranked AS (
  -- the same wage from tax and from another department counts once, tax figure first
  SELECT
    *,
    category = 'wage' AND dataset <> FIRST_VALUE(dataset) OVER (
      PARTITION BY request_id, member_no, category, payer, date_trunc('month', period_from)
      ORDER BY CASE WHEN dataset LIKE 'taxation/%' THEN 0 ELSE 1 END, dataset
    ) AS reported_before
  FROM lines
)
SELECT
  r.* EXCLUDE (netted, reported_before, amount_fen),
  CAST(r.amount_fen AS BIGINT) AS amount_fen,
  CASE
    WHEN NOT r.counted AND COALESCE(r.reason, '') <> 'after_death' THEN 'not_counted'
    WHEN x.kind IS NOT NULL THEN 'excluded'
    WHEN r.reported_before THEN 'duplicate'
    WHEN r.amount_fen <= 0 AND r.netted THEN 'netted'
    WHEN r.amount_fen < 0 AND NOT p.loss_offset THEN 'loss'
    WHEN r.reason IS NOT NULL THEN 'disputed'
    WHEN r.netted THEN 'netted'
    ELSE 'counted'
  END AS treatment,
  x.cites
FROM ranked r
JOIN policy p ON p.policy_id = r.policy_id
LEFT JOIN policy_income_excluded x ON x.policy_id = r.policy_id AND x.kind = r.kind
