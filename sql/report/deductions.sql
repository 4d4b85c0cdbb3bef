-- Per household: what is deducted from income, and by which rule.
SELECT request_id, to_json(list(struct_pack(
    amount_fen := amount_fen,
    cites := cites,
    kind := kind,
    member := member_no,
    months := months,
    rule := rule
) ORDER BY member_no, kind)) AS deductions
FROM deductions GROUP BY request_id
