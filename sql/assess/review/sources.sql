-- What could not be checked: missing sources (R1, R6), rows that could not be read (R9), answers taken out of use (R30).
SELECT DISTINCT request_id, 'source_not_covered' AS code, 'R6' AS rule, member_no, dataset
FROM gaps
WHERE state <> 'quarantined'
UNION ALL
SELECT request_id, 'unresolved_quarantine', 'R9', member_no, dataset
FROM member_coverage
WHERE quarantined_rows > 0 AND state = 'covered'
UNION ALL
SELECT request_id, 'authorisation_ended', 'R30', member_no, NULL
FROM (SELECT DISTINCT request_id, member_no FROM withheld)
