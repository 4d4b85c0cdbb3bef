-- Who counts on the reference date, and why (R21, R23, R24, R26, R28). The pack sets ages, stages and statuses.
WITH aged AS (
  SELECT
    m.*, r.policy_id, r.reference_date,
    EXTRACT(YEAR FROM r.reference_date) - EXTRACT(YEAR FROM m.birth_date)
      - CASE WHEN EXTRACT(MONTH FROM r.reference_date) * 100 + EXTRACT(DAY FROM r.reference_date)
                < EXTRACT(MONTH FROM m.birth_date) * 100 + EXTRACT(DAY FROM m.birth_date) THEN 1 ELSE 0 END AS age
  FROM members m
  JOIN requests r USING (request_id)
),
excluded AS (
  -- declared statuses and found ones alike, if they last long enough and still hold on the reference date
  SELECT a.request_id, a.member_no, MIN(s.kind) AS kind
  FROM aged a
  JOIN (
    SELECT request_id, member_no, kind, from_on, to_on FROM member_statuses
    UNION ALL
    SELECT request_id, member_no, kind, from_on, to_on FROM member_statuses_found WHERE NOT name_differs
  ) s ON s.request_id = a.request_id AND s.member_no = a.member_no
  JOIN policy_statuses p ON p.policy_id = a.policy_id AND p.kind = s.kind AND NOT p.counted
  WHERE s.from_on + to_years(p.min_years) <= a.reference_date AND (s.to_on IS NULL OR s.to_on > a.reference_date)
  GROUP BY a.request_id, a.member_no
),
enrolled AS (
  -- found in full-time study on the reference date, whether or not it was declared
  SELECT DISTINCT a.request_id, a.member_no
  FROM aged a
  JOIN policy p ON p.policy_id = a.policy_id
  JOIN member_statuses_found s ON s.request_id = a.request_id AND s.member_no = a.member_no
  WHERE s.kind = 'student' AND NOT s.name_differs AND list_contains(p.student_stages, s.detail)
    AND s.from_on <= a.reference_date AND (s.to_on IS NULL OR s.to_on > a.reference_date)
)
SELECT
  a.request_id, a.member_no, a.person, a.relation, a.role, a.birth_date,
  COALESCE(CAST(a.age AS INTEGER), 0) AS age,
  CASE
    WHEN a.role = 'supporter' THEN 'supporter'
    WHEN d.died_on < a.reference_date THEN 'dead'
    WHEN x.kind IS NOT NULL THEN x.kind
    WHEN p.unit = 'person' AND a.relation <> 'applicant' THEN 'outside_programme'
    WHEN a.person IS NULL AND a.birth_date IS NULL THEN 'unidentified'
    WHEN a.relation <> 'child' OR a.age < p.minor_age THEN
      CASE WHEN a.person IS NULL THEN 'newborn' WHEN a.age < p.minor_age THEN 'minor' ELSE 'member' END
    WHEN NOT a.legal_capacity THEN 'dependent_adult_child'
    WHEN (a.student_full_time AND list_contains(p.student_stages, a.student_stage)) OR e.request_id IS NOT NULL THEN 'student'
    WHEN COALESCE(NOT a.married, TRUE) AND a.age < p.adult_child_age THEN 'unmarried_child'
    ELSE 'adult_child'
  END AS why,
  CASE
    WHEN a.role = 'supporter' THEN 'R27'
    WHEN d.died_on < a.reference_date THEN 'R21'
    WHEN x.kind IS NOT NULL THEN 'R23'
    WHEN a.person IS NULL THEN 'R26'
    WHEN a.relation = 'child' AND a.age >= p.minor_age THEN 'R24'
    ELSE 'R28'
  END AS rule,
  why NOT IN ('supporter', 'dead', 'outside_programme', 'adult_child') AND x.kind IS NULL AS counted,
  CASE WHEN a.role <> 'supporter' THEN d.died_on END AS died_on  -- a supporter was never of the household (R27)
FROM aged a
JOIN policy p USING (policy_id)
LEFT JOIN deaths d ON d.request_id = a.request_id AND d.member_no = a.member_no
LEFT JOIN enrolled e ON e.request_id = a.request_id AND e.member_no = a.member_no
LEFT JOIN excluded x ON x.request_id = a.request_id AND x.member_no = a.member_no
