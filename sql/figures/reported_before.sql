-- R40: the same wage (person, payer, month) from tax and from another department counts once, tax figure first.
WITH wages AS (
  SELECT
    fact_no, request_id, member_no, payer, EXTRACT(YEAR FROM period_from) * 12 + EXTRACT(MONTH FROM period_from) AS month,
    dataset, CASE WHEN dataset LIKE 'taxation/%' THEN 0 ELSE 1 END AS place
  FROM member_income
  WHERE category = 'wage' AND granularity <> 'annual'
),
first_told AS (
  SELECT request_id, member_no, payer, month, MIN(place) AS place
  FROM wages
  GROUP BY request_id, member_no, payer, month
)
SELECT w.request_id, w.member_no, w.fact_no
FROM wages w
JOIN first_told f USING (request_id, member_no, payer, month)
WHERE w.place > f.place
