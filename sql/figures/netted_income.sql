-- R39: a correction stands in the place of what it corrects, a reversal takes away; only the net counts, and it stands
-- with the last record of its payer, period and kind. A correction that names no original replaces the only one there
-- is; among several originals, or beside another of its kind, nobody can say what it replaces: the sum is disputed.
-- Of the records' reasons to dispute it the first by name is said of the sum; each is a question (`own_reason`).
WITH touched AS (
  SELECT DISTINCT request_id, member_no, dataset, payer, one_off, category, kind, period_from, period_to
  FROM member_income
  WHERE mark <> 'original' OR corrected
),
standing AS (
  SELECT
    i.fact_no, i.request_id, i.member_no, i.dataset, i.payer, i.one_off, i.category, i.kind, i.period_from, i.period_to,
    i.reason, i.mark, i.corrected, CASE WHEN i.corrected THEN 0 ELSE i.amount_fen END AS amount_fen,
    COUNT(*) FILTER (WHERE i.mark = 'original' AND NOT i.corrected) OVER same AS originals,
    COUNT(*) FILTER (WHERE i.mark = 'correction' AND i.correction_of IS NULL) OVER same AS unnamed
  FROM member_income i
  SEMI JOIN touched t
    ON t.request_id = i.request_id AND t.member_no = i.member_no AND t.dataset = i.dataset AND t.payer = i.payer
    AND t.one_off = i.one_off AND t.category = i.category AND t.kind = i.kind AND t.period_from = i.period_from
    AND t.period_to = i.period_to
  WINDOW same AS (
    PARTITION BY i.request_id, i.member_no, i.dataset, i.payer, i.one_off, i.category, i.kind, i.period_from, i.period_to
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
    WHEN fact_no <> MAX(fact_no) OVER same THEN 0
    WHEN category = 'business' THEN SUM(amount_fen) OVER same
    ELSE GREATEST(SUM(amount_fen) OVER same, 0)
  END AS BIGINT) AS net_fen,
  MIN(reason) OVER same AS reason,
  reason AS own_reason,
  MAX(fact_no) OVER same AS stands_with
FROM judged
WINDOW same AS (PARTITION BY request_id, member_no, dataset, payer, one_off, category, kind, period_from, period_to)
