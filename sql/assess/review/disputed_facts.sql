-- R36, R46, R46a, R47, R53, R56, R58: facts that carry less than their value, or that count with a question (R60), each
-- with its own reason. What is due from supporters has its own file (R27).
SELECT request_id, reason AS code, rule, member_no, dataset, flatten(LIST(facts ORDER BY item_no)) AS facts
FROM income_items
WHERE treatment = 'disputed' AND reason NOT IN ('identity_conflict', 'after_death', 'stale', 'support_not_told', 'support_not_covered')
GROUP BY request_id, reason, rule, member_no, dataset
UNION ALL
SELECT request_id, reason, rule, member_no, dataset, flatten(LIST(facts ORDER BY item_no))
FROM expense_items
WHERE treatment = 'disputed' AND reason NOT IN ('identity_conflict', 'after_death', 'stale')
GROUP BY request_id, reason, rule, member_no, dataset
UNION ALL
SELECT request_id, reason, rule, member_no, dataset, flatten(LIST(facts ORDER BY item_no))
FROM asset_items
WHERE (treatment IN ('disputed', 'unpriced') OR (treatment = 'counted' AND reason IS NOT NULL)) AND reason NOT IN ('identity_conflict', 'after_death', 'stale')
GROUP BY request_id, reason, rule, member_no, dataset
