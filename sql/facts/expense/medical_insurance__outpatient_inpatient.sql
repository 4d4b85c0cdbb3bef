-- What a patient paid themselves, on the day of settlement (R46a). A refund and what it takes back both bear the mark.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE WHEN kind = 'rehabilitation' THEN 'rehabilitation' ELSE 'medical' END AS kind,
  settled_on AS period_from,
  settled_on + 1 AS period_to,
  self_fen AS amount_fen
FROM medical_insurance__outpatient_inpatient
WHERE NOT refunded AND self_fen > 0
