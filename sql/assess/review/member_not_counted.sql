-- R21, R23, R24: somebody of the request is not in the head count, which moves every limit.
SELECT request_id, 'member_not_counted' AS code, rule, member_no
FROM household_members
WHERE NOT counted AND role = 'member'
UNION ALL
SELECT request_id, 'no_counted_member', 'R28', NULL
FROM households
WHERE counted = 0
