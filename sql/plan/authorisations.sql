-- The authorisation of each member, with the day on which it was withdrawn since (R31).
WITH listed AS (
  SELECT request_id, unnest(members) AS m FROM documents
)
SELECT
  l.request_id, l.m.member_no AS member_no, l.m.authorisation.authorisation_id AS authorisation_id,
  l.m.authorisation.signed_on AS signed_on, l.m.authorisation.valid_until AS valid_until,
  w.withdrawn_on, l.m.authorisation.scope AS scope
FROM listed l
LEFT JOIN withdrawn w ON w.authorisation_id = l.m.authorisation.authorisation_id
WHERE l.m.authorisation IS NOT NULL
