-- One row per thing and household: members who both hold it, and two departments that both report it, make one (R48, R56).
WITH titled AS (
  -- where a title speaks about a unit, it decides whether the unit is held, and a filing adds nothing (R48, R49)
  SELECT DISTINCT request_id, asset FROM member_holdings WHERE dataset = 'natural_resources/real_estate_title'
),
told AS (
  SELECT
    mh.*,
    mh.dataset = 'housing/online_filing' AND t.asset IS NOT NULL AS filing_of_title
  FROM member_holdings mh
  LEFT JOIN titled t ON t.request_id = mh.request_id AND t.asset = mh.asset
  WHERE mh.class <> 'sale'
)
SELECT
  request_id, class, asset, MIN(policy_id) AS policy_id,
  MIN(member_no) AS member_no,
  BOOL_OR(counted) AS counted,
  BOOL_OR(held AND NOT filing_of_title) AS held,
  MIN(label ORDER BY filing_of_title, dataset, label) AS label,
  FIRST(display ORDER BY filing_of_title, extract_digest, row_no) AS display,
  MAX(value_fen) AS value_fen,
  MIN(currency) AS currency,
  MAX(as_of) AS as_of,
  MIN(status ORDER BY filing_of_title, status) AS status,
  MAX(status_on) AS status_on,
  MIN(mirrors) AS mirrors,
  BOOL_OR(custodial) AS custodial,
  MIN(use_character) AS use_character,
  -- disputed only if no record about it is clean
  CASE WHEN BOOL_AND(reason IS NOT NULL) THEN MIN(reason) END AS reason,
  BOOL_OR(ownership = 'joint') AS joint,
  LIST({'dataset': dataset, 'extract_digest': extract_digest, 'row_no': row_no, 'row_digest': row_digest}
       ORDER BY dataset, extract_digest, row_no) AS facts
FROM told
GROUP BY request_id, class, asset
