-- Withheld and declared incomes by payer and period. The department's last day is inclusive; ours is not.
-- A period of twelve calendar months or more is a yearly figure (R36), whichever day it begins on.
SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  CASE
    WHEN item IN ('wage', 'labour', 'bonus') THEN 'wage'
    WHEN item = 'business' THEN 'business'
    WHEN item = 'incidental' THEN 'transfer'
    ELSE 'property'
  END AS category,
  item AS kind,
  period_from,
  period_to + 1 AS period_to,
  -- a year's bonus is paid once: its year is no figure to be spread (R36), and the pack says where it belongs (R37)
  CASE WHEN item = 'bonus' THEN 'irregular' WHEN period_to + 1 >= period_from + INTERVAL 12 MONTH THEN 'annual' ELSE 'month' END
    AS granularity,
  CASE WHEN item = 'bonus' THEN 'bonus' END AS one_off,
  declared_on AS paid_on,
  CASE WHEN mark = 'reversal' THEN -abs(income_fen) ELSE income_fen END AS amount_fen,
  COALESCE(payer_code, payer_name) AS payer, payer_name,
  record_ref, mark, correction_of
FROM taxation__individual_income
