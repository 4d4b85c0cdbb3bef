-- The first day each member is recorded as dead, by undisputed records.
SELECT request_id, member_no, MIN(from_on) AS died_on
FROM member_statuses_found
WHERE kind = 'death' AND from_on IS NOT NULL AND NOT name_differs
GROUP BY request_id, member_no
