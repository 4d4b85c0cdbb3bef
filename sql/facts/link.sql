-- The columns of a link fact: an official record that two ID numbers belong together.
SELECT
  CAST(NULL AS UUID) AS person,
  CAST(NULL AS UUID) AS name_token,
  CAST(NULL AS VARCHAR) AS dataset,
  CAST(NULL AS VARCHAR) AS extract_digest,
  CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS INTEGER) AS part,             -- which of several facts that one row tells, from 0; NULL: the only one
  CAST(NULL AS VARCHAR) AS row_digest,
  CAST(NULL AS VARCHAR) AS kind,             -- same_person | marriage | divorce
  CAST(NULL AS UUID) AS other,
  CAST(NULL AS DATE) AS from_on
WHERE FALSE
