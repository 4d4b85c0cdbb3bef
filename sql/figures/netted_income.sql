-- R39: a correction stands in the place of what it corrects, a reversal takes away; only the net counts, and it stands
-- with the last record of its payer, period and kind. A correction that names no original replaces the only one there
-- is; among several originals, or beside another of its kind, nobody can say what it replaces: the sum is disputed.
WITH touched AS (
  SELECT DISTINCT request_id, member_no, dataset, payer, category, kind, period_from, period_to
  FROM member_income
  WHERE mark <> 'original'
),
records AS (
  SELECT i.*
  FROM member_income i
  SEMI JOIN touched t
    ON t.request_id = i.request_id AND t.member_no = i.member_no AND t.dataset = i.dataset AND t.payer = i.payer
    AND t.category = i.category AND t.kind = i.kind AND t.period_from = i.period_from AND t.period_to = i.period_to
),
standing AS (
  SELECT
    r.fact_no, r.request_id, r.member_no, r.dataset, r.payer, r.category, r.kind, r.period_from, r.period_to, r.reason,
    r.mark, CASE WHEN c.record_ref IS NULL THEN r.amount_fen ELSE 0 END AS amount_fen,
    COUNT(*) FILTER (WHERE r.mark = 'original') OVER same AS originals,
    COUNT(*) FILTER (WHERE r.mark = 'correction' AND r.correction_of IS NULL) OVER same AS unnamed
  FROM records r
  LEFT JOIN (SELECT DISTINCT request_id, member_no, dataset, correction_of AS record_ref FROM records WHERE mark = 'correction') c
    ON c.request_id = r.request_id AND c.member_no = r.member_no AND c.dataset = r.dataset AND c.record_ref = r.record_ref
  WINDOW same AS (
    PARTITION BY r.request_id, r.member_no, r.dataset, r.payer, r.category, r.kind, r.period_from, r.period_to
  )
),
judged AS (
  SELECT
    * EXCLUDE (amount_fen, reason),
    CASE WHEN mark = 'original' AND originals = 1 AND unnamed = 1 THEN 0 ELSE amount_fen END AS amount_fen,
    COALESCE(reason, CASE WHEN unnamed > 1 OR (unnamed = 1 AND originals > 1) THEN 'correction_unclear' END) AS reason
  FROM standing
)
SELECT
  request_id, member_no, fact_no,
  CAST(CASE
    WHEN fact_no = MAX(fact_no) OVER same THEN GREATEST(SUM(amount_fen) OVER same, 0)
    ELSE 0
  END AS BIGINT) AS net_fen,
  MAX(reason) OVER same AS reason
FROM judged
WINDOW same AS (PARTITION BY request_id, member_no, dataset, payer, category, kind, period_from, period_to)
