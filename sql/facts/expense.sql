-- The columns of an expense fact: what a person paid themselves for illness, education or rehabilitation (R46a).
-- Periods are half-open [period_from, period_to): a settlement of one day is [day, day + 1).
SELECT
  CAST(NULL AS UUID) AS person,
  CAST(NULL AS UUID) AS name_token,
  CAST(NULL AS VARCHAR) AS dataset,
  CAST(NULL AS VARCHAR) AS extract_digest,
  CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS INTEGER) AS part,             -- which of several facts that one row tells, from 0; NULL: the only one
  CAST(NULL AS VARCHAR) AS row_digest,
  CAST(NULL AS VARCHAR) AS disputed_reason,
  CAST(NULL AS VARCHAR) AS kind,             -- medical | education | rehabilitation
  CAST(NULL AS DATE) AS period_from,
  CAST(NULL AS DATE) AS period_to,
  CAST(NULL AS BIGINT) AS amount_fen
WHERE FALSE
