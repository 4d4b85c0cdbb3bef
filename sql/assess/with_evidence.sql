-- A result with its fact numbers opened into rows of extracts (R65). `result` is the table to be written.
WITH numbered AS (
  SELECT ROW_NUMBER() OVER () AS place, * FROM result
),
opened AS (
  SELECT DISTINCT n.place, e.dataset, e.extract_digest, e.row_no, e.row_digest
  FROM (SELECT place, UNNEST(facts) AS fact_no FROM numbered) n
  JOIN evidence e USING (fact_no)
),
listed AS (
  SELECT
    place,
    list_sort(LIST({'dataset': dataset, 'extract_digest': extract_digest, 'row_no': row_no, 'row_digest': row_digest})) AS facts
  FROM opened
  GROUP BY place
)
SELECT n.* EXCLUDE (place, facts), COALESCE(l.facts, []) AS facts
FROM numbered n
LEFT JOIN listed l USING (place)
