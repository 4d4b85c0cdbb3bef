-- A required source that did not answer about a counted member, or whose answer about them could not be read in full
-- (R9): it could hold anything, for every figure it feeds (R6).
SELECT
  c.request_id, c.member_no, c.dataset, CASE WHEN c.state = 'covered' THEN 'quarantined' ELSE c.state END AS state, f.figure
FROM member_coverage c
JOIN household_members m ON m.request_id = c.request_id AND m.member_no = c.member_no AND m.counted
LEFT JOIN feeds f ON f.dataset = c.dataset
WHERE c.requirement = 'required' AND (c.state <> 'covered' OR c.quarantined_rows > 0)
