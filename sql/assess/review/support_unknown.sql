-- R27: a person with a duty of support was asked with their own consent, and what is due from them is not known for sure.
SELECT request_id, 'support_not_covered' AS code, 'R27' AS rule, member_no, UNNEST(missing) AS dataset
FROM support_lines
WHERE missing IS NOT NULL
UNION ALL
SELECT request_id, 'support_not_told', 'R27', member_no, NULL
FROM support_lines
WHERE missing IS NULL AND NOT told AND high_fen > low_fen
