-- Every number a member is known by: the declared one, and those an official record links to it (R16), nothing else.
-- A number that another member of the same request declared stays with that one, so that its facts count once.
SELECT request_id, member_no, person
FROM members
WHERE person IS NOT NULL
UNION
SELECT m.request_id, m.member_no, l.other
FROM members m
JOIN fact_link l ON l.person = m.person AND l.kind = 'same_person'
WHERE NOT EXISTS (SELECT 1 FROM members o WHERE o.request_id = m.request_id AND o.person = l.other)
UNION
SELECT m.request_id, m.member_no, l.person
FROM members m
JOIN fact_link l ON l.other = m.person AND l.kind = 'same_person'
WHERE NOT EXISTS (SELECT 1 FROM members o WHERE o.request_id = m.request_id AND o.person = l.person)
