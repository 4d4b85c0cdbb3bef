-- One row for every member and every dataset that the programme's sources name; no other dataset is asked, and no
-- department outside the authorised scope (R34). query_id counts members within a dataset, datasets by name.
WITH datasets AS (
  SELECT dataset, split_part(dataset, '/', 1) AS department, row_number() OVER (ORDER BY dataset) - 1 AS number
  FROM (SELECT DISTINCT dataset FROM policy_sources)
),
size AS (
  SELECT count(*) AS members FROM consents
)
SELECT
  d.number * z.members + c.place + 1 AS query_id, d.dataset, c.request_id, c.member_no, c.person, c.authorisation_id,
  CASE
    WHEN c.standing <> 'ask' OR list_contains(c.scope, '*') OR list_contains(c.scope, d.department) THEN c.standing
    ELSE 'not_authorised'
  END AS state,
  c.window_from, c.window_to, c.purpose, c.requester, c.place
FROM datasets d
JOIN policy_sources s USING (dataset)
JOIN consents c USING (policy_id)
CROSS JOIN size z
