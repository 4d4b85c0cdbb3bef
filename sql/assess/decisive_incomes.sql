-- Of every income of a household whose income test is open or exceeded: by how much the figure falls without it, if it
-- surely counts (`low`), or if it is in doubt (`high - low`). A wage takes its part of the deduction away with it (R44);
-- of the wages that share a cap the largest goes first.
WITH asked AS (
  SELECT DISTINCT request_id FROM tests WHERE figure = 'income' AND result <> 'satisfied'
),
lines AS (
  SELECT *, GREATEST(high_fen - GREATEST(low_fen, 0), 0) AS open_fen
  FROM income_lines
  SEMI JOIN asked USING (request_id)
  WHERE high_fen > 0 OR low_fen < 0
),
capped AS (
  SELECT
    w.*, SUM(w.low) OVER span AS wage_low, SUM(w.high) OVER span AS wage_high, p.wage_deduction_bp AS bp,
    COALESCE(p.wage_deduction_cap_fen * (MAX(w.last_month) OVER span - MIN(w.first_month) OVER span + 1), 9223372036854775807) AS cap_fen
  FROM wage_months w
  SEMI JOIN asked a ON a.request_id = w.request_id
  JOIN policy p ON p.policy_id = w.policy_id
  WINDOW span AS (PARTITION BY w.request_id, w.member_no, w.span)
),
reached AS (
  SELECT
    l.request_id, l.member_no, l.category, l.kind, l.dataset, l.period_from, l.fact_no, l.low_fen, l.high_fen, l.open_fen,
    c.wage_low, c.wage_high, c.bp, c.cap_fen,
    SUM(GREATEST(l.low_fen, 0)) OVER (PARTITION BY l.request_id, l.member_no, c.span ORDER BY l.low_fen DESC, l.fact_no) AS low_until,
    SUM(l.open_fen) OVER (PARTITION BY l.request_id, l.member_no, c.span ORDER BY l.open_fen DESC, l.fact_no) AS open_until
  FROM lines l
  LEFT JOIN capped c
    ON c.request_id = l.request_id AND c.member_no = l.member_no AND l.category = 'wage' AND l.granularity <> 'annual'
    AND l.treatment IN ('counted', 'netted', 'disputed')
    AND c.first_month = EXTRACT(YEAR FROM l.period_from) * 12 + EXTRACT(MONTH FROM l.period_from)
    AND c.last_month = EXTRACT(YEAR FROM l.period_to - 1) * 12 + EXTRACT(MONTH FROM l.period_to - 1)
)
SELECT
  request_id, member_no, category, kind, dataset, period_from, fact_no, LEAST(low_fen, 0) AS loss_fen,
  CAST(CASE WHEN bp IS NULL OR low_fen <= 0 THEN low_fen ELSE low_fen
    - LEAST((wage_low - low_until + low_fen) * bp // 10000, cap_fen) + LEAST((wage_low - low_until) * bp // 10000, cap_fen)
  END AS BIGINT) AS low,
  CAST(CASE WHEN bp IS NULL THEN open_fen ELSE open_fen
    - LEAST((wage_high - open_until + open_fen) * bp // 10000, cap_fen) + LEAST((wage_high - open_until) * bp // 10000, cap_fen)
  END AS BIGINT) AS open_fen
FROM reached
