-- R69: a status or link under objection is not used meanwhile; incomes and things are disputed and told with their items.
SELECT DISTINCT m.request_id, z.reason AS code, 'R69' AS rule, m.member_no, f.dataset, [f.fact_no] AS facts
FROM (
  SELECT person, dataset, fact_no, row_digest FROM numbered_status
  UNION ALL
  SELECT person, dataset, fact_no, row_digest FROM numbered_link
) f
JOIN frozen z ON z.row_digest = f.row_digest
JOIN member_persons m ON m.person = f.person
JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = f.dataset
