-- What is known but may no longer be used, because the member's authorisation ended (R30, R31).
SELECT
  c.request_id, c.member_no, c.dataset, c.withheld_reason AS reason,
  CAST((
    SELECT COUNT(*) FROM member_persons mp JOIN fact_rows f ON f.person = mp.person AND f.dataset = c.dataset
    WHERE mp.request_id = c.request_id AND mp.member_no = c.member_no
  ) AS INTEGER) AS items
FROM member_coverage c
WHERE c.withheld
