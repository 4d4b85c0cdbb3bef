-- R16: an official record says that two members of the request are one person, so that the head count may hold one too many.
WITH pairs AS (
  SELECT m.request_id, m.member_no, o.member_no AS other_no, l.dataset, l.fact_no
  FROM fact_link l
  JOIN members m ON m.person = l.person AND m.role = 'member'
  JOIN members o ON o.person = l.other AND o.request_id = m.request_id AND o.member_no <> m.member_no AND o.role = 'member'
  WHERE l.kind = 'same_person'
),
named AS (
  SELECT request_id, member_no, dataset, fact_no FROM pairs
  UNION
  SELECT request_id, other_no, dataset, fact_no FROM pairs
)
SELECT request_id, 'member_twice' AS code, 'R16' AS rule, member_no, dataset, list_sort(LIST(fact_no)) AS facts
FROM named
GROUP BY request_id, member_no, dataset
