-- R21: a register says that a member is dead and no record says since when; the head count cannot follow it.
SELECT s.request_id, 'death_undated' AS code, 'R21' AS rule, s.member_no, s.dataset, list_sort(LIST(s.fact_no)) AS facts
FROM member_statuses_found s
LEFT JOIN deaths d ON d.request_id = s.request_id AND d.member_no = s.member_no
WHERE s.kind = 'death' AND s.from_on IS NULL AND NOT s.name_differs AND d.died_on IS NULL
GROUP BY s.request_id, s.member_no, s.dataset
