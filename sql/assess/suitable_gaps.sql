-- Sources that another programme requires and that did not answer, though the programme applied for needs no answer
-- from them: which of that programme's figures they leave open (R6). Few households have any.
WITH missing AS (
  SELECT DISTINCT h.request_id, s.programme, CASE WHEN f.figure LIKE 'income.%' THEN 'income' ELSE f.figure END AS figure
  FROM member_coverage c
  JOIN household_members m ON m.request_id = c.request_id AND m.member_no = c.member_no AND m.counted
  JOIN households h ON h.request_id = c.request_id
  JOIN policy_suitable_sources s ON s.policy_id = h.policy_id AND s.dataset = c.dataset
  LEFT JOIN feeds f ON f.dataset = c.dataset
  WHERE c.requirement = 'optional' AND (c.state <> 'covered' OR c.quarantined_rows > 0)
)
SELECT request_id, LIST(DISTINCT programme) AS programmes, LIST(programme || ' ' || figure) AS figures
FROM missing
GROUP BY request_id
