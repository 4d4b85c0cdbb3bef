-- R21, R22: something dated after a member's recorded death; a question to a person, nothing more. A pension that the
-- pack does not count is one as well, and so is a compensation beside its home; what its own correction takes back, or
-- what another source has told already, is none.
SELECT i.request_id, 'income_after_death' AS code, 'R22' AS rule, i.member_no, i.dataset, list_sort(LIST(i.fact_no)) AS facts
FROM member_income i
LEFT JOIN netted_income n USING (request_id, member_no, fact_no)
JOIN income_lines l
  ON l.request_id = i.request_id AND l.member_no = i.member_no AND l.fact_no = COALESCE(n.stands_with, i.fact_no)
WHERE i.reason = 'after_death' AND (l.own NOT IN ('netted', 'duplicate') OR l.home_stands)
GROUP BY i.request_id, i.member_no, i.dataset
UNION ALL
SELECT request_id, 'after_death', 'R21', member_no, dataset, list_sort(LIST(fact_no))
FROM member_holdings
WHERE reason = 'after_death' AND (held OR class = 'sale')
GROUP BY request_id, member_no, dataset
