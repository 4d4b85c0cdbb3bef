-- The figures that a household has, and the unit of each.
SELECT *
FROM (VALUES
  ('income', 'fen'), ('income.wage', 'fen'), ('income.business', 'fen'), ('income.property', 'fen'),
  ('income.transfer', 'fen'), ('financial_assets', 'fen'), ('homes', 'count'), ('vehicles', 'count'),
  ('businesses', 'count')
) AS kinds (figure, unit)
