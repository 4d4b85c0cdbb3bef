-- A school year's fee less its scholarships and grants (R46a), on the day it was paid; where that day is not told, in
-- the school year as a whole, which is not spread over months.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'education' AS kind,
  COALESCE(paid_on, make_date(school_year, 9, 1)) AS period_from,
  COALESCE(paid_on + 1, make_date(school_year + 1, 9, 1)) AS period_to,
  fee_fen - COALESCE(scholarship_fen, 0) AS amount_fen
FROM education__enrolment
WHERE fee_fen > COALESCE(scholarship_fen, 0)
