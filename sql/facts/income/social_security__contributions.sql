-- The wage that an employer declared for social insurance (R40). It is told once per kind of insurance and counts once
-- per person, employer and month; where the kinds tell different wages nobody can say which is right.
WITH told AS (
  SELECT
    *,
    ROW_NUMBER() OVER same_wage AS place,
    MIN(wage_fen) OVER (PARTITION BY person, employer_code, month) AS least_fen
  FROM social_security__contributions
  WHERE wage_fen IS NOT NULL
  WINDOW same_wage AS (PARTITION BY person, employer_code, month ORDER BY wage_fen DESC, kind, extract_seq, row_no)
)
SELECT
  person,
  dataset, extract_digest, row_no, row_digest,
  CASE WHEN least_fen <> wage_fen THEN 'wage_unclear' END AS disputed_reason,
  'wage' AS category,
  'wage' AS kind,
  month AS period_from,
  CAST(month + INTERVAL 1 MONTH AS DATE) AS period_to,
  'month' AS granularity,
  wage_fen AS amount_fen,
  employer_code AS payer,
  'original' AS mark
FROM told
WHERE place = 1
