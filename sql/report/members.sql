-- The household's persons by name, opened for this document only.
SELECT place, member_no AS seq, to_json(struct_pack(
    counted := counted,
    id_number := shown(id_number),
    member := member_no,
    name := shown(name),
    relation := relation,
    role := role,
    rule := rule,
    why := why
)) AS body
FROM household_members
JOIN places USING (request_id)
JOIN opened_members USING (request_id, member_no)
