-- Property items with their evidence; address and plate were opened for this document only.
SELECT place, item_no AS seq, to_json(struct_pack(
    as_of := as_of,
    cites := cites,
    class := class,
    counted := struct_pack(high := high, low := low),
    currency := currency,
    display := shown(opened),
    facts := list_transform(facts, lambda f: struct_pack(
        "extract" := extract_id(f.extract_digest), "row" := f.row_no, row_digest := f.row_digest)),
    figure := figure,
    label := shown(nullif(label, '')),
    member := member_no,
    mortgage_fen := mortgage_fen,
    net_fen := net_fen,
    "no" := item_no,
    rate := CASE WHEN rate IS NOT NULL
        THEN struct_pack("on" := rate_on, per := rate_unit, source := shown(rate_source), yuan := rate) END,
    reason := reason,
    rule := rule,
    share_bp := share_bp,
    status := status,
    status_on := status_on,
    treatment := treatment,
    value_fen := value_fen
)) AS body
FROM asset_items
JOIN places USING (request_id)
LEFT JOIN opened_assets USING (request_id, item_no)
