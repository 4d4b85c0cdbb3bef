-- The lines with R36 beside R38: of a yearly figure only what exceeds the payments of that year which are known month
-- by month is uncertain; the rest is those payments, told a second time. `own…` is how a line would count and what it is
-- worth whether or not its person counts (R27); what counts is that, or nothing. `counted_fen` is what is left of a line's amount by
-- corrections (R39).
WITH yearly AS (
  -- a bonus of the year may be taxed by itself and stand outside the settlement: it takes nothing off the year's wages
  SELECT request_id, member_no, category, kind, period_from, period_to, fact_no
  FROM judged_income
  WHERE granularity = 'annual' AND own = 'disputed'
),
known AS (
  SELECT y.request_id, y.member_no, y.fact_no, SUM(m.counted_fen) AS known_fen  -- a loss, too, is a part of its year (R43)
  FROM judged_income m
  JOIN yearly y
    ON y.request_id = m.request_id AND y.member_no = m.member_no AND y.category = m.category
    AND y.kind = m.kind
    AND m.period_from >= y.period_from AND m.period_to <= y.period_to
  WHERE m.granularity <> 'annual' AND m.own IN ('counted', 'netted', 'disputed', 'loss')
  GROUP BY y.request_id, y.member_no, y.fact_no
),
left_over AS (
  SELECT
    j.* EXCLUDE (own_high_fen),
    COALESCE(k.known_fen > 0 AND k.known_fen >= j.own_high_fen, FALSE) AS told_by_months,
    CAST(CASE WHEN COALESCE(k.known_fen <= 0, TRUE) THEN j.own_high_fen ELSE GREATEST(j.own_high_fen - k.known_fen, 0) END AS BIGINT) AS own_high_fen
  FROM judged_income j
  LEFT JOIN known k USING (request_id, member_no, fact_no)
)
SELECT
  * EXCLUDE (told_by_months, own, treatment, reason),
  CASE WHEN told_by_months AND own = 'disputed' THEN 'duplicate' ELSE own END AS own,
  CASE WHEN told_by_months AND treatment = 'disputed' THEN 'duplicate' ELSE treatment END AS treatment,
  CASE WHEN told_by_months AND treatment = 'disputed' THEN NULL ELSE reason END AS reason,
  CASE WHEN treatment = 'not_counted' THEN 0 ELSE own_low_fen END AS low_fen,
  CASE WHEN treatment = 'not_counted' THEN 0 ELSE own_high_fen END AS high_fen
FROM left_over
