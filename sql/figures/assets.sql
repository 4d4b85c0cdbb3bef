-- One row per thing and household: members who both hold it, and two departments that both report it, make one (R48, R56).
SELECT
  request_id, class, asset, MIN(policy_id) AS policy_id, MIN(reference_date) AS reference_date,
  MIN(member_no) AS member_no,
  BOOL_OR(counted) AS counted,
  -- by the records of those who count, where they have any
  CASE WHEN BOOL_OR(counted) THEN BOOL_OR(held_by_this AND (counted OR after_death)) ELSE BOOL_OR(held_by_this) END AS held,
  BOOL_OR(after_death AND held_by_this) AS after_death,
  MAX(CASE WHEN place = 1 THEN label END) AS label,
  MAX(CASE WHEN place = 1 THEN display END) AS display,
  MAX(CASE WHEN place = 1 THEN dataset END) AS dataset,
  MAX(CASE WHEN place = 1 THEN status END) AS status,
  MAX(CASE WHEN place = 1 THEN status_on END) AS status_on,
  -- by the records that are clean, where there is one: what a disputed one says is no certainty
  COALESCE(MAX(value_fen) FILTER (WHERE held_by_this AND counted AND NOT custodial AND reason IS NULL), MAX(value_fen)) AS value_fen,
  MAX(mortgage_fen) AS mortgage_fen,
  MIN(currency) AS currency,
  MAX(as_of) AS as_of,
  MIN(mirrors) AS mirrors,
  -- kept for somebody else only if every member who holds it keeps it so (R55)
  COALESCE(BOOL_AND(custodial) FILTER (WHERE held_by_this AND (counted OR after_death)), FALSE) AS custodial,
  BOOL_OR(suspended AND held_by_this) AS suspended,
  MIN(use_character) AS use_character,
  -- disputed only if no record by which a counted member holds it is clean
  CASE WHEN NOT BOOL_OR(held_by_this AND counted AND NOT custodial AND reason IS NULL)
    THEN MIN(reason) FILTER (WHERE held_by_this AND (counted OR after_death) AND NOT custodial) END AS reason,
  list_sort(LIST(fact_no)) AS facts
FROM told_holdings
GROUP BY request_id, class, asset
