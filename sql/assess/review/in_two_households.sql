-- R20: a person in two open requests; both reports say so.
SELECT DISTINCT m.request_id, 'in_two_households' AS code, 'R20' AS rule, m.member_no
FROM members m
JOIN other_requests o ON o.person = m.person AND o.request_id <> m.request_id
WHERE m.role = 'member'
