-- The columns of an income fact. Periods are half-open [period_from, period_to); money is fen.
SELECT
  CAST(NULL AS UUID) AS person,
  CAST(NULL AS UUID) AS name_token,          -- name in the record, as a token; NULL where the dataset sends none
  CAST(NULL AS VARCHAR) AS dataset,
  CAST(NULL AS VARCHAR) AS extract_digest,
  CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS INTEGER) AS part,             -- which of several facts that one row tells, from 0; NULL: the only one
  CAST(NULL AS VARCHAR) AS row_digest,
  CAST(NULL AS VARCHAR) AS disputed_reason,
  CAST(NULL AS VARCHAR) AS category,         -- wage | business | property | transfer
  CAST(NULL AS VARCHAR) AS kind,
  CAST(NULL AS DATE) AS period_from,
  CAST(NULL AS DATE) AS period_to,
  CAST(NULL AS VARCHAR) AS granularity,      -- month | annual | irregular
  CAST(NULL AS VARCHAR) AS one_off,          -- bonus | arrears: placed by the pack's rule (R37), shown separately
  CAST(NULL AS DATE) AS paid_on,
  CAST(NULL AS BIGINT) AS amount_fen,
  CAST(NULL AS VARCHAR) AS payer,            -- the payer's code where there is one: tax and social insurance share it (R40)
  CAST(NULL AS VARCHAR) AS payer_name,       -- what a reader is shown
  CAST(NULL AS VARCHAR) AS record_ref,
  CAST(NULL AS VARCHAR) AS mark,             -- original | correction | reversal
  CAST(NULL AS VARCHAR) AS correction_of
WHERE FALSE
