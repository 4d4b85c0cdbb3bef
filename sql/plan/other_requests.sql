-- R20: for each person of the batch, every open request of the store that lists the same person as a member.
-- `shared` has the store's tokens, which may be of another key epoch than the batch's: they are joined among
-- themselves only, and the person is named by the batch's own token (R19).
SELECT DISTINCT m.person, o.request_id
FROM shared s
JOIN shared o ON o.token = s.token
JOIN members m ON m.request_id = s.request_id AND m.member_no = s.member_no
WHERE m.person IS NOT NULL
