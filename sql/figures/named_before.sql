-- R39: records that another record of the same source names. A correction takes the place of what it names, wherever
-- its own period lies; a reversal takes away from what it names, so it stands in that record's place.
SELECT
  o.fact_no, TRUE AS corrected, CAST(NULL AS DATE) AS period_from, CAST(NULL AS DATE) AS period_to,
  CAST(NULL AS DATE) AS paid_on, CAST(NULL AS VARCHAR) AS payer, CAST(NULL AS VARCHAR) AS one_off
FROM fact_income o
SEMI JOIN (SELECT person, dataset, correction_of FROM fact_income WHERE mark = 'correction') c
  ON c.person = o.person AND c.dataset = o.dataset AND c.correction_of = o.record_ref
UNION ALL
SELECT r.fact_no, FALSE, MIN(o.period_from), MIN(o.period_to), MIN(o.paid_on), MIN(o.payer), MIN(o.one_off)
FROM fact_income r
JOIN fact_income o ON o.person = r.person AND o.dataset = r.dataset AND o.record_ref = r.correction_of
WHERE r.mark = 'reversal'
GROUP BY r.fact_no
