-- Interest of an account follows the account (R56): told for two members it counts once, of one held with somebody
-- outside by the known share, and of one kept for somebody else (R55) not at all.
WITH interest AS (
  SELECT
    request_id, member_no, fact_no, record_ref,
    ROW_NUMBER() OVER (
      PARTITION BY request_id, counted, dataset, record_ref, period_from, period_to, amount_fen
      ORDER BY reason IS NOT NULL, fact_no
    ) AS place
  FROM member_income
  WHERE kind = 'interest' AND record_ref IS NOT NULL
),
accounts AS (
  SELECT
    request_id, split_part(asset, ' ', 1) AS account, BOOL_OR(outside) AS outside, BOOL_AND(shares_known) AS shares_known,
    MIN(share_bp) AS share_bp
  FROM holders
  WHERE class = 'deposit'
  GROUP BY request_id, split_part(asset, ' ', 1)
),
kept AS (
  SELECT request_id, member_no, split_part(asset, ' ', 1) AS account
  FROM member_holdings
  WHERE class = 'deposit' AND held
  GROUP BY request_id, member_no, split_part(asset, ' ', 1)
  HAVING BOOL_AND(custodial)
)
SELECT
  i.request_id, i.member_no, i.fact_no, i.place > 1 AS told_before, k.account IS NOT NULL AS custodial,
  COALESCE(a.outside AND NOT a.shares_known, FALSE) AS unknown_share,
  CASE WHEN a.outside AND a.shares_known THEN a.share_bp ELSE 10000 END AS share_bp
FROM interest i
LEFT JOIN accounts a ON a.request_id = i.request_id AND a.account = i.record_ref
LEFT JOIN kept k ON k.request_id = i.request_id AND k.member_no = i.member_no AND k.account = i.record_ref
WHERE i.place > 1 OR a.outside OR k.account IS NOT NULL
