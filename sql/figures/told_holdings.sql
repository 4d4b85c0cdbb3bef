-- Each record of a thing with whether, by this record, it is held: titles before filings, sales, compensation.
WITH titled AS (
  -- where a title speaks about a unit, it decides whether the unit is held, and a filing adds nothing (R48, R49);
  -- unless the title came after the reference date, or had ended before the filing
  SELECT request_id, asset, BOOL_OR(held) AS held, MAX(status_on) AS ended_on
  FROM member_holdings
  WHERE dataset = 'natural_resources/real_estate_title' AND (acquired_on IS NULL OR acquired_on <= reference_date)
  GROUP BY request_id, asset
),
sold AS (
  -- what a member sold by a filing; a sale that is itself disputed leaves open whether it was sold (R49)
  SELECT request_id, member_no, asset, MAX(status_on) AS sold_on, MAX(CASE WHEN reason IS NULL THEN status_on END) AS surely_on
  FROM member_holdings
  WHERE class = 'sale' AND status_on <= reference_date
  GROUP BY request_id, member_no, asset
),
compensated AS (
  -- compensation that was paid says that the home is gone, where the register gives no day; not where it may be for
  -- another home, which still stands (R50)
  SELECT DISTINCT i.request_id
  FROM member_income i
  LEFT JOIN homes_taken t ON t.request_id = i.request_id AND t.standing
  WHERE i.kind IN ('expropriation_compensation', 'demolition_compensation') AND i.counted AND i.reason IS NULL
    AND i.amount_fen > 0 AND t.request_id IS NULL
)
SELECT
  mh.* EXCLUDE (reason),
  mh.held
    AND (mh.dataset <> 'housing/online_filing'
      OR ((t.asset IS NULL OR (NOT t.held AND COALESCE(t.ended_on < mh.acquired_on, FALSE)))
        AND NOT COALESCE(s.surely_on >= mh.acquired_on, FALSE)))
    AND NOT (mh.status IN ('demolished', 'expropriated') AND mh.status_on IS NULL AND c.request_id IS NOT NULL) AS held_by_this,
  COALESCE(
    mh.reason, CASE WHEN mh.dataset = 'housing/online_filing' AND s.sold_on >= mh.acquired_on THEN 'sale_unclear' END
  ) AS reason,
  -- the record that speaks for the thing: a title before a filing, then in the order of the extracts
  ROW_NUMBER() OVER (
    PARTITION BY mh.request_id, mh.class, mh.asset
    ORDER BY mh.dataset = 'housing/online_filing', mh.held DESC, mh.fact_no
  ) AS place
FROM member_holdings mh
LEFT JOIN titled t ON t.request_id = mh.request_id AND t.asset = mh.asset
LEFT JOIN sold s ON s.request_id = mh.request_id AND s.member_no = mh.member_no AND s.asset = mh.asset
LEFT JOIN compensated c ON c.request_id = mh.request_id
WHERE mh.class <> 'sale'
