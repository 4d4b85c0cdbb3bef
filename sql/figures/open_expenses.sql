-- A required source of expenses that did not answer could hold any expense: up to what the cap leaves (R6, R46a).
SELECT
  g.request_id, d.kind, g.dataset,
  MIN(d.cap_fen) - COALESCE((
    SELECT CAST(SUM(e.high_fen) AS BIGINT) FROM expense_items e WHERE e.request_id = g.request_id AND e.kind = d.kind
  ), 0) AS left_fen
FROM gaps g
JOIN households h ON h.request_id = g.request_id
JOIN policy_expense_deductions d ON d.policy_id = h.policy_id AND g.figure = 'expense.' || d.kind
GROUP BY g.request_id, d.kind, g.dataset
