-- One row per title and holder. A unit number names the home; a title without one is a home of its own.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE WHEN use = 'residential' THEN 'dwelling' ELSE 'premises' END AS class,
  COALESCE(CAST(unit AS VARCHAR), 'title ' || record_ref) AS asset,
  use AS label,
  address AS display,
  ownership, CASE WHEN ownership = 'sole' THEN COALESCE(share_bp, 10000) ELSE share_bp END AS share_bp,
  CASE WHEN state IN ('demolished', 'expropriated') THEN state
       WHEN state = 'historic' AND cancelled_on IS NULL THEN 'cancelled'
       WHEN cancelled_on IS NOT NULL THEN 'sold' ELSE 'held' END AS status,
  cancelled_on AS status_on,
  registered_on AS acquired_on
FROM natural_resources__real_estate_title
