-- Declared statuses of members, one row each. A request includes both ends; from here on periods are half-open, an open
-- end is NULL.
WITH listed AS (
  SELECT request_id, unnest(members) AS m FROM documents
),
statuses AS (
  SELECT request_id, m.member_no AS member_no, unnest(m.statuses) AS s FROM listed
)
SELECT request_id, member_no, s.kind, s."from" AS from_on, CAST(s."to" AS DATE) + 1 AS to_on FROM statuses
