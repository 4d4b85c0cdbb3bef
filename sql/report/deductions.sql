-- What is deducted from income, and by which rule.
SELECT place, row_number() OVER (PARTITION BY place ORDER BY member_no, kind) AS seq, to_json(struct_pack(
    amount_fen := struct_pack(high := high_fen, low := low_fen),
    kind := kind,
    member := member_no,
    months := months,
    rule := rule
)) AS body
FROM deductions
JOIN places USING (request_id)
