-- The columns of a review reason; each file of assess/review/ gives the reasons of one kind.
SELECT
  CAST(NULL AS VARCHAR) AS request_id,
  CAST(NULL AS VARCHAR) AS code,
  CAST(NULL AS VARCHAR) AS rule,
  CAST(NULL AS INTEGER) AS member_no,
  CAST(NULL AS VARCHAR) AS dataset,
  CAST([] AS STRUCT(dataset VARCHAR, extract_digest VARCHAR, row_no BIGINT, row_digest VARCHAR)[]) AS facts
WHERE FALSE
