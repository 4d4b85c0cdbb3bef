-- One line per income fact: how it counts, and as which interval (rules.md section 1).
-- Disputed amounts are [0, x]; what is excluded, doubled, lost or of a person who does not count is [0, 0], but shown.
WITH judged AS (
  SELECT
    i.* EXCLUDE (reason),
    COALESCE(
      n.reason, i.reason,
      CASE WHEN NOT b.same THEN 'payer_unknown' WHEN s.unknown_share THEN 'joint_account_unknown_shares'
        WHEN g.gone THEN 'compensation_unclear' END
    ) AS reason,
    CAST(COALESCE(n.net_fen, i.amount_fen) * COALESCE(s.share_bp, 10000) // 10000 AS BIGINT) AS counted_fen,
    n.fact_no IS NOT NULL AS netted,
    COALESCE(b.same, FALSE) OR COALESCE(s.told_before, FALSE) AS told_before,
    COALESCE(s.custodial, FALSE) AS custodial,
    COALESCE(NOT g.gone, FALSE) AS home_stands,
    x.cites
  FROM member_income i
  -- a fact of a person in two requests has one row in each: the number alone does not tell them apart (R20)
  LEFT JOIN netted_income n USING (request_id, member_no, fact_no)
  LEFT JOIN reported_before b USING (request_id, member_no, fact_no)
  LEFT JOIN shared_interest s USING (request_id, member_no, fact_no)
  -- compensation is not counted beside the home that it is for and that still stands (R50)
  LEFT JOIN homes_taken g
    ON g.request_id = i.request_id AND g.standing AND i.kind IN ('expropriation_compensation', 'demolition_compensation')
  LEFT JOIN policy_income_excluded x ON x.policy_id = i.policy_id AND x.kind = i.kind
),
treated AS (
  SELECT
    j.*,
    CASE
      WHEN j.cites IS NOT NULL THEN 'excluded'
      WHEN j.custodial THEN 'exempt'
      WHEN j.told_before OR j.home_stands THEN 'duplicate'
      WHEN j.counted_fen < 0 AND NOT (p.loss_offset AND j.category = 'business') THEN 'loss'
      WHEN j.netted AND j.counted_fen = 0 THEN 'netted'
      WHEN j.reason IS NOT NULL THEN 'disputed'
      WHEN j.netted THEN 'netted'
      ELSE 'counted'
    END AS own
  FROM judged j
  JOIN policy p ON p.policy_id = j.policy_id
),
valued AS (
  SELECT
    *,
    CASE WHEN NOT counted AND NOT after_death THEN 'not_counted' ELSE own END AS treatment,
    -- a loss that is set off (R43) lowers what it is set off against: surely, or as far as it is disputed
    CASE WHEN own IN ('counted', 'netted') THEN counted_fen WHEN own = 'disputed' THEN LEAST(counted_fen, 0) ELSE 0 END AS own_low_fen,
    CASE WHEN own IN ('counted', 'netted') THEN counted_fen WHEN own = 'disputed' THEN GREATEST(counted_fen, 0) ELSE 0 END
      AS own_high_fen
  FROM treated
)
SELECT
  request_id, member_no, policy_id, category, kind, payer, payer_name, one_off, dataset, granularity,
  period_from, period_to, paid_on, amount_fen, treatment,
  CASE WHEN treatment IN ('disputed', 'not_counted') THEN reason WHEN treatment = 'exempt' THEN 'custodial'
    WHEN treatment = 'duplicate' AND home_stands THEN 'compensated_home_held' END AS reason,
  cites, own, own_low_fen, own_high_fen, counted_fen, home_stands,
  fact_no
FROM valued
