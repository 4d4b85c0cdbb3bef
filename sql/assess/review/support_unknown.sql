-- R27: a person with a duty of support was asked with their own consent, and what is due from them is not known for sure.
SELECT
  request_id,
  CASE WHEN missing IS NOT NULL THEN 'support_not_covered' ELSE 'support_not_told' END AS code, 'R27' AS rule,
  member_no, missing AS dataset
FROM support_lines
WHERE high_fen IS NULL OR (NOT told AND high_fen > low_fen)
