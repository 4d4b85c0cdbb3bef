-- Every member with what decides whether anybody may be asked about them. `standing` holds for every department within
-- the scope: asked is who has an authorisation that is valid on the as-of day (R29); a supporter who never gave one is
-- left alone (R27); who has no number cannot be asked about (R26). Whom the programme does not look at is never asked
-- about, whatever was signed (R34): other members where one person is looked at, supporters where none is needed.
WITH windows AS (
  SELECT
    r.*, p.unit, p.supporters_asked, CAST(date_trunc('month', r.reference_date) - to_months(p.window_months) AS DATE) AS window_from,
    CAST(date_trunc('month', r.reference_date) AS DATE) AS window_to
  FROM requests r
  JOIN policy p USING (policy_id)
)
SELECT
  row_number() OVER (ORDER BY w.request_id, m.member_no) - 1 AS place,
  w.policy_id, w.request_id, m.member_no, m.person, a.authorisation_id, a.scope,
  CASE
    WHEN w.unit = 'person' AND m.role = 'member' AND m.relation <> 'applicant' THEN 'not_asked'
    WHEN m.role = 'supporter' AND NOT w.supporters_asked THEN 'not_asked'
    WHEN m.person IS NULL THEN 'not_queryable'
    WHEN a.authorisation_id IS NULL AND m.role = 'supporter' THEN 'not_asked'
    WHEN a.authorisation_id IS NULL THEN 'not_authorised'
    WHEN a.signed_on > b.as_of_day OR a.valid_until < b.as_of_day THEN 'not_authorised'
    WHEN a.withdrawn_on <= b.as_of_day THEN 'not_authorised'
    ELSE 'ask'
  END AS standing,
  w.window_from, w.window_to, w.purpose, w.requester
FROM windows w
JOIN members m USING (request_id)
LEFT JOIN authorisations a ON a.request_id = m.request_id AND a.member_no = m.member_no
CROSS JOIN batch b
