-- One line per income fact: how it counts, and as which interval (rules.md section 1).
-- Disputed amounts are [0, x]; what is excluded, doubled, lost or of a person who does not count is [0, 0], but shown.
WITH judged AS (
  SELECT
    i.* EXCLUDE (reason),
    COALESCE(n.reason, i.reason) AS reason,
    COALESCE(n.net_fen, i.amount_fen) AS counted_fen,
    n.fact_no IS NOT NULL AS netted,
    b.fact_no IS NOT NULL AS reported_before,
    x.cites
  FROM member_income i
  -- a fact of a person in two requests has one row in each: the number alone does not tell them apart (R20)
  LEFT JOIN netted_income n USING (request_id, member_no, fact_no)
  LEFT JOIN reported_before b USING (request_id, member_no, fact_no)
  LEFT JOIN policy_income_excluded x ON x.policy_id = i.policy_id AND x.kind = i.kind
),
treated AS (
  SELECT
    j.*,
    CASE
      WHEN NOT j.counted AND COALESCE(j.reason, '') <> 'after_death' THEN 'not_counted'
      WHEN j.cites IS NOT NULL THEN 'excluded'
      WHEN j.reported_before THEN 'duplicate'
      WHEN j.counted_fen < 0 AND NOT p.loss_offset THEN 'loss'
      WHEN j.netted AND j.counted_fen = 0 THEN 'netted'
      WHEN j.reason IS NOT NULL THEN 'disputed'
      WHEN j.netted THEN 'netted'
      ELSE 'counted'
    END AS treatment
  FROM judged j
  JOIN policy p ON p.policy_id = j.policy_id
)
SELECT
  request_id, member_no, policy_id, category, kind, payer, payer_name, dataset, granularity, period_from, period_to, paid_on,
  amount_fen, treatment,
  CASE WHEN treatment IN ('disputed', 'not_counted') THEN reason END AS reason,
  cites,
  CASE WHEN treatment IN ('counted', 'netted') THEN counted_fen ELSE 0 END AS low_fen,
  CASE WHEN treatment IN ('counted', 'netted') THEN counted_fen WHEN treatment = 'disputed' THEN GREATEST(counted_fen, 0)
    ELSE 0 END AS high_fen,
  fact_no
FROM treated
