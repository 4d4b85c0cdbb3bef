-- Per household: what is deducted from income, and by which rule.
SELECT request_id, '[' || string_agg(to_json(struct_pack(
    amount_fen := struct_pack(high := high_fen, low := low_fen),
    kind := kind,
    member := member_no,
    months := months,
    rule := rule
)), ',' ORDER BY member_no, kind) || ']' AS deductions
FROM deductions GROUP BY request_id
