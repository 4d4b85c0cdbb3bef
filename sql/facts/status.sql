-- The columns of a status fact: something that is true of a person in [from_on, to_on); an open end is NULL.
SELECT
  CAST(NULL AS UUID) AS person,
  CAST(NULL AS UUID) AS name_token,
  CAST(NULL AS VARCHAR) AS dataset,
  CAST(NULL AS VARCHAR) AS extract_digest,
  CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS INTEGER) AS part,             -- which of several facts that one row tells, from 0; NULL: the only one
  CAST(NULL AS VARCHAR) AS row_digest,
  CAST(NULL AS VARCHAR) AS kind,             -- death | registered | contribution | self_employed | prison | clergy | …
  CAST(NULL AS DATE) AS from_on,
  CAST(NULL AS DATE) AS to_on,
  CAST(NULL AS VARCHAR) AS detail
WHERE FALSE
