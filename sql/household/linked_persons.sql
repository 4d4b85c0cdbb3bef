-- R16: every further number that official records link to a member's own, in as many steps as it takes (eight at most),
-- from a register that answered about the member and passed its checks. A link under another name is doubtful (R12).
WITH RECURSIVE pairs AS (
  SELECT person, other, name_token, dataset FROM fact_link WHERE kind = 'same_person'
  UNION ALL
  SELECT other, person, name_token, dataset FROM fact_link WHERE kind = 'same_person'
),
reached AS (
  SELECT request_id, member_no, person, name_token AS own_name, FALSE AS doubtful, 0 AS steps
  FROM members
  WHERE person IN (SELECT person FROM pairs)
  UNION
  SELECT r.request_id, r.member_no, p.other, r.own_name,
    r.doubtful OR COALESCE(p.name_token <> r.own_name, FALSE), r.steps + 1
  FROM reached r
  JOIN pairs p ON p.person = r.person
  JOIN usable_sources u ON u.request_id = r.request_id AND u.member_no = r.member_no AND u.dataset = p.dataset
  WHERE r.steps < 8
)
SELECT r.request_id, r.member_no, r.person, BOOL_AND(r.doubtful) AS doubtful
FROM reached r
WHERE r.steps > 0 AND NOT EXISTS (
  SELECT 1 FROM members m WHERE m.request_id = r.request_id AND m.member_no = r.member_no AND m.person = r.person
)
GROUP BY r.request_id, r.member_no, r.person
