-- R12: the same ID number under another name, whether the fact counts or not.
WITH found AS (
  SELECT request_id, member_no, dataset, fact_no FROM member_income WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset, fact_no FROM member_holdings WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset, fact_no FROM member_expenses WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset, fact_no FROM member_statuses_found WHERE name_differs
  UNION
  SELECT m.request_id, m.member_no, l.dataset, l.fact_no
  FROM fact_link l
  JOIN member_persons mp ON mp.person = l.person
  JOIN members m ON m.request_id = mp.request_id AND m.member_no = mp.member_no
  JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = l.dataset
  WHERE mp.doubtful OR l.name_token <> m.name_token
)
SELECT request_id, 'identity_conflict' AS code, 'R12' AS rule, member_no, dataset, list_sort(LIST(fact_no)) AS facts
FROM found
GROUP BY request_id, member_no, dataset
