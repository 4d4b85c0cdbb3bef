-- One row per thing and household: members who both hold it, and two departments that both report it, make one (R48, R56).
WITH titled AS (
  -- where a title speaks about a unit, it decides whether the unit is held, and a filing adds nothing (R48, R49);
  -- unless the title came after the reference date, or had ended before the filing
  SELECT request_id, asset, BOOL_OR(held) AS held, MAX(status_on) AS ended_on
  FROM member_holdings
  WHERE dataset = 'natural_resources/real_estate_title' AND (acquired_on IS NULL OR acquired_on <= reference_date)
  GROUP BY request_id, asset
),
told AS (
  SELECT
    mh.*,
    mh.held AND (
      mh.dataset <> 'housing/online_filing' OR t.asset IS NULL OR (NOT t.held AND COALESCE(t.ended_on < mh.acquired_on, FALSE))
    ) AS held_by_this,
    -- the record that speaks for the thing: a title before a filing, then in the order of the extracts
    ROW_NUMBER() OVER (
      PARTITION BY mh.request_id, mh.class, mh.asset
      ORDER BY mh.dataset = 'housing/online_filing', mh.held DESC, mh.fact_no
    ) AS place
  FROM member_holdings mh
  LEFT JOIN titled t ON t.request_id = mh.request_id AND t.asset = mh.asset
  WHERE mh.class <> 'sale'
)
SELECT
  request_id, class, asset, MIN(policy_id) AS policy_id,
  MIN(member_no) AS member_no,
  BOOL_OR(counted) AS counted,
  BOOL_OR(held_by_this) AS held,
  MAX(CASE WHEN place = 1 THEN label END) AS label,
  MAX(CASE WHEN place = 1 THEN display END) AS display,
  MAX(CASE WHEN place = 1 THEN dataset END) AS dataset,
  MAX(CASE WHEN place = 1 THEN status END) AS status,
  MAX(CASE WHEN place = 1 THEN status_on END) AS status_on,
  MAX(value_fen) AS value_fen,
  MIN(currency) AS currency,
  MAX(as_of) AS as_of,
  MIN(mirrors) AS mirrors,
  BOOL_OR(custodial) AS custodial,
  MIN(use_character) AS use_character,
  -- disputed only if no record by which a counted member holds it is clean
  CASE WHEN NOT BOOL_OR(held_by_this AND counted AND reason IS NULL) THEN MIN(reason) FILTER (WHERE held_by_this) END AS reason,
  list_sort(LIST(fact_no)) AS facts
FROM told
GROUP BY request_id, class, asset
