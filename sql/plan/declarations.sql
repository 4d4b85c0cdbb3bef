-- What was declared: amounts in fen, things by number; an item that was left out has no row.
WITH listed AS (
  SELECT
    request_id,
    unnest(['income.wage', 'income.business', 'income.property', 'income.transfer', 'financial_assets']) AS item,
    unnest([
      declaration."income.wage", declaration."income.business", declaration."income.property",
      declaration."income.transfer", declaration.financial_assets
    ]) AS yuan
  FROM documents
),
counted AS (
  SELECT
    request_id, unnest(['homes', 'vehicles', 'businesses']) AS item,
    unnest([declaration.homes, declaration.vehicles, declaration.businesses]) AS number
  FROM documents
)
SELECT request_id, item, CAST(CAST(yuan AS DECIMAL(18, 2)) * 100 AS BIGINT) AS declared FROM listed WHERE yuan IS NOT NULL
UNION ALL
SELECT request_id, item, CAST(number AS BIGINT) FROM counted WHERE number IS NOT NULL
