-- R45: registered as self-employed in the window, and no figure of a business; a zero on a tax form is none.
WITH registered AS (
  SELECT s.request_id, s.member_no, s.dataset, s.fact_no
  FROM member_statuses_found s
  JOIN households h USING (request_id)
  JOIN household_members m ON m.request_id = s.request_id AND m.member_no = s.member_no AND m.counted
  WHERE s.kind = 'self_employed' AND NOT s.name_differs
    AND COALESCE(s.from_on < h.window_to, TRUE) AND COALESCE(s.to_on > h.window_from, TRUE)
)
SELECT r.request_id, 'self_employed_unknown' AS code, 'R45' AS rule, r.member_no, r.dataset, list_sort(LIST(r.fact_no)) AS facts
FROM registered r
JOIN member_coverage c
  ON c.request_id = r.request_id AND c.member_no = r.member_no AND c.dataset = 'taxation/individual_income' AND c.state = 'covered'
WHERE NOT EXISTS (
  SELECT 1 FROM income_lines b
  WHERE b.request_id = r.request_id AND b.member_no = r.member_no AND b.category = 'business'
    -- what was taken back is no figure, and a loss that counts nothing is one (R39, R43)
    AND b.counted_fen <> 0
)
GROUP BY r.request_id, r.member_no, r.dataset
