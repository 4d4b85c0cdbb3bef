-- R25: the latest dated record of a marriage or divorce does not agree with the household that was declared.
WITH events AS (
  SELECT
    m.request_id, m.member_no, m.relation, m.married, l.kind, l.other, l.from_on,
    l.dataset, l.fact_no,
    ROW_NUMBER() OVER (PARTITION BY m.request_id, m.member_no ORDER BY l.from_on DESC, l.kind, l.fact_no) AS latest
  FROM members m
  JOIN requests r USING (request_id)
  JOIN member_persons mp ON mp.request_id = m.request_id AND mp.member_no = m.member_no
  JOIN fact_link l ON l.person = mp.person AND l.kind IN ('marriage', 'divorce') AND l.from_on <= r.reference_date
  JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = l.dataset
  -- a record under another name does not speak of this person (R12)
  WHERE m.role = 'member' AND NOT mp.doubtful AND COALESCE(l.name_token = m.name_token, TRUE)
)
SELECT
  e.request_id, 'marital_status_differs' AS code, 'R25' AS rule, e.member_no, e.dataset,
  [e.fact_no] AS facts
FROM events e
LEFT JOIN member_persons other ON other.request_id = e.request_id AND other.person = e.other
WHERE e.latest = 1
  AND ((e.kind = 'marriage' AND other.person IS NULL)
    OR (e.kind = 'divorce' AND other.person IS NOT NULL AND e.relation IN ('applicant', 'spouse'))
    OR (e.kind = 'divorce' AND e.married))
