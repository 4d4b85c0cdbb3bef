-- Members and supporters as they were declared, with what is left out filled in; `names` and `persons` come later.
WITH listed AS (
  SELECT request_id, unnest(members) AS m FROM documents
)
SELECT
  request_id, m.member_no, m.name, m.id_number, COALESCE(m.id_kind, 'number') AS id_kind,
  m.birth_date, m.relation, COALESCE(m.role, 'member') AS role, m.married,
  m.student.stage AS student_stage, COALESCE(m.student.full_time, FALSE) AS student_full_time,
  m.support.own_household AS support_household, m.support.supports AS support_number,
  COALESCE(m.legal_capacity, TRUE) AS legal_capacity,
  COALESCE(m.address_protected, FALSE) AS address_protected,
  to_json({'id_number': m.id_number, 'name': m.name})::VARCHAR AS shown
FROM listed
