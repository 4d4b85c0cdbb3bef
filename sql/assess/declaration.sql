-- A difference is material if a test's result on the declared figures is not its result on the found ones (R64).
SELECT
  i.*,
  i.result = 'differs' AND EXISTS (
    SELECT 1 FROM tests_as_declared t
    WHERE t.request_id = i.request_id AND t.result_declared <> t.result_found
      AND (t.figure = i.item OR i.item LIKE t.figure || '.%')
  ) AS material
FROM declaration_items i
