-- R41: somebody paid contributions, or into the housing fund, for an employed person in a month for which no wage is
-- known.
WITH employed AS (
  SELECT
    s.request_id, s.member_no, s.from_on AS month, s.dataset, s.fact_no
  FROM member_statuses_found s
  JOIN households h USING (request_id)
  WHERE s.kind IN ('contribution', 'housing_fund') AND NOT s.name_differs AND s.from_on >= h.window_from AND s.from_on < h.window_to
)
SELECT e.request_id, 'employed_without_wage' AS code, 'R41' AS rule, e.member_no, e.dataset, list_sort(LIST(e.fact_no)) AS facts
FROM employed e
JOIN member_coverage c
  ON c.request_id = e.request_id AND c.member_no = e.member_no AND c.dataset = 'taxation/individual_income' AND c.state = 'covered'
LEFT JOIN income_lines w
  ON w.request_id = e.request_id AND w.member_no = e.member_no AND w.category = 'wage'
  -- a wage that was taken back is none, and one that still stands beside it is one (R39)
  AND w.counted_fen > 0
  AND w.period_from < e.month + INTERVAL 1 MONTH AND w.period_to > e.month
WHERE w.request_id IS NULL
GROUP BY e.request_id, e.member_no, e.dataset
