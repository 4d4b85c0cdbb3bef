-- R36, R46, R46a, R47, R53, R56, R58: facts that carry less than their value, or that count with a question (R60), each
-- with its own reason; of a netted income (R39) and of a thing that several records tell of, the reason of each record.
-- Whose a record is, whose death came before it, and how old it is, are asked of the person and the source; what is due
-- from supporters has its own file (R27).
WITH items AS (
  SELECT request_id, 1 AS part, item_no, reason, rule, member_no, dataset, facts
  FROM income_items
  WHERE treatment = 'disputed' AND reason NOT IN ('support_not_told', 'support_not_covered')
  UNION ALL
  SELECT request_id, 2, item_no, reason, rule, member_no, dataset, facts
  FROM expense_items
  WHERE treatment = 'disputed'
  UNION ALL
  SELECT request_id, 3, item_no, reason, rule, member_no, dataset, facts
  FROM asset_items
  WHERE treatment IN ('disputed', 'unpriced') OR (treatment = 'counted' AND reason IS NOT NULL)
),
records AS (
  SELECT n.request_id, l.reason, n.own_reason, '' AS class, n.member_no, l.dataset, n.fact_no
  FROM netted_income n
  JOIN income_lines l
    ON l.request_id = n.request_id AND l.member_no = n.member_no AND l.fact_no = n.stands_with AND l.treatment = 'disputed'
  UNION ALL
  SELECT a.request_id, a.reason, t.reason, a.class, a.member_no, a.dataset, t.fact_no
  FROM asset_items a
  JOIN assets s ON s.request_id = a.request_id AND s.class = a.class AND s.asset = a.asset AND s.reason = a.reason
  JOIN told_holdings t ON t.request_id = a.request_id AND t.class = a.class AND t.asset = a.asset
  WHERE a.treatment = 'disputed' AND t.held_by_this AND (t.counted OR t.after_death) AND NOT t.custodial
),
questions AS (
  SELECT * FROM items
  UNION ALL
  SELECT
    request_id, 4, fact_no, own_reason,
    CASE own_reason
      WHEN 'conflicting_rows' THEN 'R8' WHEN 'annual_only' THEN 'R36' WHEN 'correction_unclear' THEN 'R39'
      WHEN 'straddles_window' THEN 'R46' WHEN 'sale_unclear' THEN 'R49' WHEN 'contested_registration' THEN 'R54'
      WHEN 'ended_on_unknown' THEN CASE class WHEN 'vehicle' THEN 'R52' WHEN 'business' THEN 'R54' ELSE 'R49' END
      ELSE 'R69'
    END,
    member_no, dataset, [fact_no]
  FROM records
  WHERE own_reason <> reason
)
SELECT request_id, reason AS code, rule, member_no, dataset, flatten(LIST(facts ORDER BY part, item_no)) AS facts
FROM questions
WHERE reason NOT IN ('identity_conflict', 'after_death', 'stale')
GROUP BY request_id, reason, rule, member_no, dataset
