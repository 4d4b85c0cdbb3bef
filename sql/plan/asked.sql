-- What the ledger keeps of each dataset's query: numbers, and the digest of the list, which is sealed in the batch.
-- A line of the list is state|request|member|person|authorisation|requester|purpose, empty where there is none; the
-- digest is SHA-256 over the lines' own SHA-256 digests in the order of query_id.
WITH lines AS (
  SELECT
    *, sha256(concat_ws(
      '|', state, request_id, member_no, COALESCE(person::VARCHAR, ''), COALESCE(authorisation_id, ''), requester, purpose
    )) AS line
  FROM queries
)
SELECT
  dataset,
  count(*) FILTER (WHERE state = 'ask') AS asked,
  count(DISTINCT person) FILTER (WHERE state = 'ask') AS persons,
  count(DISTINCT authorisation_id) FILTER (WHERE state = 'ask') AS authorisations,
  count(DISTINCT request_id) FILTER (WHERE state = 'ask') AS requests,
  count(*) FILTER (WHERE state = 'not_authorised') AS not_authorised,
  count(*) FILTER (WHERE state = 'not_queryable') AS not_queryable,
  count(*) FILTER (WHERE state = 'not_asked') AS not_asked,
  sha256(string_agg(line, '' ORDER BY query_id)) AS list_sha256
FROM lines
GROUP BY dataset
ORDER BY dataset
