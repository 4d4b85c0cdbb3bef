-- R12: the same ID number under another name, whether the fact counts or not.
WITH found AS (
  SELECT request_id, member_no, dataset, fact_no FROM member_income WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset, fact_no FROM member_holdings WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset, fact_no FROM member_expenses WHERE reason = 'identity_conflict'
  UNION
  SELECT request_id, member_no, dataset, fact_no FROM member_statuses_found WHERE name_differs
)
SELECT request_id, 'identity_conflict' AS code, 'R12' AS rule, member_no, dataset, list_sort(LIST(fact_no)) AS facts
FROM found
GROUP BY request_id, member_no, dataset
