-- One row per request with its divisor: the members counted on the reference date (R28).
SELECT
  w.*,
  CAST((SELECT COUNT(*) FROM household_members m WHERE m.request_id = w.request_id AND m.counted) AS INTEGER) AS counted
FROM windows w
