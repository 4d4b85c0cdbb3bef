-- Evidence that a vehicle is operated (R53), until the licence's last day. When it began is not told. A licence that was
-- taken or given back is none, and neither is one that rests.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'operating_licence' AS kind,
  CAST(NULL AS DATE) AS from_on,
  valid_to + 1 AS to_on,
  CAST(plate AS VARCHAR) AS detail
FROM transport__operating_licences
WHERE state = 'valid'
