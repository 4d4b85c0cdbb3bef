-- The members and datasets whose facts may be used at all; a stale answer is shown but carries no certainty (R4).
SELECT request_id, member_no, dataset, state = 'stale' AS stale
FROM member_coverage
WHERE state IN ('covered', 'stale')
