-- Per household: its persons by name, opened for this document only.
SELECT request_id, '[' || string_agg(to_json(struct_pack(
    counted := counted,
    id_number := id_number,
    member := member_no,
    name := name,
    relation := relation,
    role := role,
    rule := rule,
    why := why
)), ',' ORDER BY member_no) || ']' AS members
FROM household_members JOIN opened_members USING (request_id, member_no)
GROUP BY request_id
