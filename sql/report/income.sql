-- Income items with their evidence.
SELECT place, item_no AS seq, to_json(struct_pack(
    amount_fen := amount_fen,
    category := category,
    cites := cites,
    counted_fen := struct_pack(high := high_fen, low := low_fen),
    dataset := dataset,
    facts := list_transform(facts, lambda f: struct_pack(
        "extract" := extract_id(f.extract_digest), "row" := f.row_no, row_digest := f.row_digest)),
    granularity := granularity,
    kind := kind,
    member := member_no,
    "no" := item_no,
    one_off := one_off,
    paid_on := paid_on_min,
    payer := shown(coalesce(payer_name, nullif(payer, ''))),
    period := struct_pack("from" := period_from, "to" := period_to),
    reason := reason,
    rule := rule,
    treatment := treatment
)) AS body
FROM income_items
JOIN places USING (request_id)
