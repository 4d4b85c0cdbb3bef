-- What a batch knows of each request, as digests that two batches can be compared by (R73): per dataset, whether every
-- member was answered and which rows concern them; under the empty name, who was asked and who was not, and why.
-- Reads members, queries, links, coverage and delivered_rows (dataset, person, row_digest).
-- Row digests are of what was delivered, under one key: they outlast batches and key epochs.
WITH own AS (
  SELECT request_id, person FROM members WHERE person IS NOT NULL
),
numbers AS (
  SELECT request_id, person FROM own
  UNION
  SELECT o.request_id, l.other FROM own o JOIN links l ON l.person = o.person
),
answered AS (
  SELECT q.request_id, q.dataset, bool_and(COALESCE(c.state, '') = 'covered') AS is_covered
  FROM queries q
  LEFT JOIN coverage c ON c.dataset = q.dataset AND c.person = q.person
  WHERE q.state = 'ask'
  GROUP BY q.request_id, q.dataset
),
found AS (
  SELECT n.request_id, r.dataset, string_agg(DISTINCT r.row_digest, ',' ORDER BY r.row_digest) AS digests
  FROM numbers n
  JOIN delivered_rows r ON r.person = n.person
  GROUP BY n.request_id, r.dataset
)
SELECT a.request_id, a.dataset, a.is_covered, sha256(COALESCE(f.digests, '')) AS digest
FROM answered a
LEFT JOIN found f ON f.request_id = a.request_id AND f.dataset = a.dataset
UNION ALL
SELECT
  request_id, '', TRUE,
  sha256(string_agg(concat_ws('/', member_no, dataset, state), ',' ORDER BY member_no, dataset, state))
FROM queries
GROUP BY request_id
