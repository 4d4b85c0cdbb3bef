-- A marriage is a link from each of the two to the other.
SELECT person_a AS person, person_a_name AS name_token,
  dataset, extract_digest, row_no, row_digest, 0 AS part,
  kind, person_b AS other, event_on AS from_on
FROM civil_affairs__marriage
UNION ALL
SELECT person_b AS person, person_b_name AS name_token,
  dataset, extract_digest, row_no, row_digest, 1 AS part,
  kind, person_a AS other, event_on AS from_on
FROM civil_affairs__marriage
