-- R16: official records say that two members of the request are one person, so that the head count may hold one too many.
WITH persons AS (
  SELECT request_id, member_no, person FROM members WHERE person IS NOT NULL AND role = 'member'
  UNION
  SELECT l.request_id, l.member_no, l.person
  FROM linked_persons l
  JOIN members m ON m.request_id = l.request_id AND m.member_no = l.member_no AND m.role = 'member'
),
shared AS (
  SELECT request_id, person FROM persons GROUP BY request_id, person HAVING COUNT(*) > 1
),
named AS (
  SELECT DISTINCT p.request_id, p.member_no, f.dataset, f.fact_no
  FROM shared s
  JOIN persons p ON p.request_id = s.request_id AND p.person = s.person
  JOIN fact_link f ON f.kind = 'same_person' AND (f.person = s.person OR f.other = s.person)
)
SELECT request_id, 'member_twice' AS code, 'R16' AS rule, member_no, dataset, list_sort(LIST(fact_no)) AS facts
FROM named
GROUP BY request_id, member_no, dataset
