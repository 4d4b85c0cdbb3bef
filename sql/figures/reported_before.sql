-- R40: the same wage (person, payer, month) from tax and from another department counts once, tax figure first. Where
-- one of the two names no payer, nobody can say that it is another wage: then the other department's is uncertain.
WITH wages AS (
  SELECT
    fact_no, request_id, member_no, payer, dataset LIKE 'taxation/%' AS by_tax,
    EXTRACT(YEAR FROM period_from) * 12 + EXTRACT(MONTH FROM period_from) AS month,
    EXTRACT(YEAR FROM period_to - 1) * 12 + EXTRACT(MONTH FROM period_to - 1) AS last_month
  FROM member_income
  WHERE category = 'wage' AND kind = 'wage' AND one_off = '' AND granularity <> 'annual'
),
others AS (
  SELECT * FROM wages WHERE NOT by_tax
),
taxed AS (
  SELECT DISTINCT request_id, member_no, payer, UNNEST(range(month, last_month + 1)) AS month
  FROM wages t
  SEMI JOIN others o USING (request_id, member_no)
  WHERE by_tax
),
unnamed AS (
  SELECT DISTINCT request_id, member_no, month, payer = '' AS no_payer FROM taxed
)
SELECT o.request_id, o.member_no, o.fact_no, BOOL_OR(t.payer IS NOT NULL) AS same
FROM others o
LEFT JOIN taxed t
  ON t.request_id = o.request_id AND t.member_no = o.member_no AND t.month = o.month AND t.payer = o.payer AND o.payer <> ''
LEFT JOIN unnamed u
  ON u.request_id = o.request_id AND u.member_no = o.member_no AND u.month = o.month AND (u.no_payer OR o.payer = '')
WHERE t.payer IS NOT NULL OR u.month IS NOT NULL
GROUP BY o.request_id, o.member_no, o.fact_no
