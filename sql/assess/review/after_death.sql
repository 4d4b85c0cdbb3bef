-- R21, R22: something dated after a member's recorded death; a question to a person, nothing more.
SELECT request_id, 'income_after_death' AS code, 'R22' AS rule, member_no, dataset, list_sort(LIST(fact_no)) AS facts
FROM income_lines
WHERE reason = 'after_death'
GROUP BY request_id, member_no, dataset
UNION ALL
SELECT request_id, 'after_death', 'R21', member_no, dataset, list_sort(LIST(fact_no))
FROM member_holdings
WHERE reason = 'after_death' AND held
GROUP BY request_id, member_no, dataset
