-- For every thing held: which holders are inside the household, whether anybody outside holds it too, and the shares.
-- Outside is whoever does not count: a supporter, a member who is not in the head count, and those for whom a member
-- only keeps it (R55).
WITH named AS (
  SELECT request_id, asset, class, member_no, UNNEST(co_holders) AS other
  FROM member_holdings
  WHERE held
),
outside AS (
  SELECT n.request_id, n.asset, n.class
  FROM named n
  WHERE NOT EXISTS (
    SELECT 1 FROM member_persons mp
    JOIN household_members hm ON hm.request_id = mp.request_id AND hm.member_no = mp.member_no AND hm.counted
    WHERE mp.request_id = n.request_id AND mp.person = n.other
  )
  UNION
  SELECT request_id, asset, class
  FROM member_holdings
  WHERE held AND custodial
),
shares AS (
  -- a member's share is sent once per source that names it: the largest of them counts once; of a home with a title
  -- the title's, since a filing knows no shares (R47, R48)
  SELECT request_id, asset, class, member_no,
    CASE WHEN BOOL_OR(dataset <> 'housing/online_filing') THEN MAX(CASE WHEN dataset <> 'housing/online_filing' THEN share_bp END)
      ELSE MAX(share_bp) END AS share_bp
  FROM member_holdings
  WHERE held AND counted AND NOT custodial
  GROUP BY request_id, asset, class, member_no
)
SELECT
  s.request_id, s.asset, s.class,
  MIN(s.member_no) AS member_no,
  COUNT(*) AS members,
  BOOL_OR(o.asset IS NOT NULL) AS outside,
  COUNT(*) = COUNT(s.share_bp) AS shares_known,
  CAST(LEAST(SUM(s.share_bp), 10000) AS INTEGER) AS share_bp
FROM shares s
LEFT JOIN outside o ON o.request_id = s.request_id AND o.asset = s.asset AND o.class = s.class
GROUP BY s.request_id, s.asset, s.class
