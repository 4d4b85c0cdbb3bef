-- One row for every member and every dataset that the programme's sources name; no other dataset is asked (R34).
-- Asked is who has an authorisation that is valid on the as-of day (R29) and names the department (R34); a supporter
-- who never gave one is left alone (R27); who has no number cannot be asked about (R26).
WITH windows AS (
  SELECT
    r.*, CAST(date_trunc('month', r.reference_date) - to_months(p.window_months) AS DATE) AS window_from,
    CAST(date_trunc('month', r.reference_date) AS DATE) AS window_to
  FROM requests r
  JOIN policy p USING (policy_id)
),
wanted AS (
  SELECT w.*, s.dataset, split_part(s.dataset, '/', 1) AS department
  FROM windows w
  JOIN policy_sources s USING (policy_id)
),
judged AS (
  SELECT
    w.dataset, w.request_id, m.member_no, m.person, a.authorisation_id,
    CASE
      WHEN m.person IS NULL THEN 'not_queryable'
      WHEN a.authorisation_id IS NULL AND m.role = 'supporter' THEN 'not_asked'
      WHEN a.authorisation_id IS NULL THEN 'not_authorised'
      WHEN a.signed_on > b.as_of_day OR a.valid_until < b.as_of_day THEN 'not_authorised'
      WHEN a.withdrawn_on <= b.as_of_day THEN 'not_authorised'
      WHEN list_contains(a.scope, '*') OR list_contains(a.scope, w.department) THEN 'ask'
      ELSE 'not_authorised'
    END AS state,
    w.window_from, w.window_to, w.purpose, w.requester
  FROM wanted w
  JOIN members m USING (request_id)
  LEFT JOIN authorisations a ON a.request_id = m.request_id AND a.member_no = m.member_no
  CROSS JOIN batch b
)
SELECT row_number() OVER (ORDER BY dataset, request_id, member_no) AS query_id, * FROM judged
