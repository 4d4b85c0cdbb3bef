-- Every number a member is known by: the declared one, and those an official record links to it (R16), nothing else.
SELECT request_id, member_no, person
FROM members
WHERE person IS NOT NULL
UNION
SELECT m.request_id, m.member_no, l.other
FROM members m
JOIN fact_link l ON l.person = m.person AND l.kind = 'same_person'
UNION
SELECT m.request_id, m.member_no, l.person
FROM members m
JOIN fact_link l ON l.other = m.person AND l.kind = 'same_person'
