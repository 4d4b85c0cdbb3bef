-- Full-time study (R24), once for each time at a school: the school years of one enrolment say the same.
WITH enrolled AS (
  SELECT
    *, ROW_NUMBER() OVER (PARTITION BY person, school_code, from_on ORDER BY school_year DESC, extract_seq DESC, row_no DESC) AS place
  FROM education__enrolment
  WHERE study = 'full_time'
)
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'student' AS kind,
  from_on,
  to_on + 1 AS to_on,
  stage AS detail
FROM enrolled
WHERE place = 1
