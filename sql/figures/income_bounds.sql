-- Each line as an interval [low, high] (rules.md section 1): disputed amounts are [0, x], the rest [x, x] or nothing.
SELECT
  *,
  CASE WHEN treatment IN ('counted', 'netted') THEN
    CASE WHEN category = 'business' AND treatment = 'counted' THEN amount_fen ELSE GREATEST(amount_fen, 0) END
    ELSE 0 END AS low_fen,
  CASE WHEN treatment IN ('counted', 'netted', 'disputed') THEN
    CASE WHEN category = 'business' AND treatment = 'counted' THEN amount_fen ELSE GREATEST(amount_fen, 0) END
    ELSE 0 END AS high_fen
FROM income_lines
