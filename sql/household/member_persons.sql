-- Every number a member is known by: the declared one, and those an official record links to it (R16), nothing else.
-- A number that another member of the same request declared stays with that one, and one that is linked to two members
-- with the first of them, so that its facts count once.
SELECT request_id, member_no, person, FALSE AS doubtful
FROM members
WHERE person IS NOT NULL
UNION ALL
SELECT l.request_id, MIN(l.member_no), l.person, BOOL_AND(l.doubtful)
FROM linked_persons l
WHERE NOT EXISTS (SELECT 1 FROM members o WHERE o.request_id = l.request_id AND o.person = l.person)
GROUP BY l.request_id, l.person
