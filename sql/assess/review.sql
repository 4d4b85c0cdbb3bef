-- The columns of a review reason; each file of assess/review/ gives the reasons of one kind.
SELECT
  CAST(NULL AS VARCHAR) AS request_id,
  CAST(NULL AS VARCHAR) AS code,
  CAST(NULL AS VARCHAR) AS rule,
  CAST(NULL AS INTEGER) AS member_no,
  CAST(NULL AS VARCHAR) AS dataset,
  CAST(NULL AS BIGINT[]) AS facts             -- fact numbers; the table `evidence` leads from each to its row
WHERE FALSE
