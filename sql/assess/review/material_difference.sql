-- R64: only a difference that changes a test's result is put before a person; the others stand in the report.
SELECT request_id, 'material_difference' AS code, 'R64' AS rule, CAST(NULL AS INTEGER) AS member_no, item AS dataset
FROM declaration
WHERE material
