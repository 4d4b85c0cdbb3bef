-- Rigid expenditure with its evidence, and what of it is deducted from income (R46a).
SELECT place, item_no AS seq, to_json(struct_pack(
    amount_fen := amount_fen,
    cites := cites,
    dataset := dataset,
    deducted_fen := struct_pack(high := high_fen, low := low_fen),
    facts := list_transform(facts, lambda f: struct_pack(
        "extract" := extract_id(f.extract_digest), "row" := f.row_no, row_digest := f.row_digest)),
    kind := kind,
    member := member_no,
    "no" := item_no,
    period := struct_pack("from" := period_from, "to" := period_to),
    reason := reason,
    rule := rule,
    treatment := treatment
)) AS body
FROM expense_items
JOIN places USING (request_id)
