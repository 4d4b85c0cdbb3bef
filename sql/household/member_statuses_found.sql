-- Statuses found about each member, with R12: a record under another name does not speak about this person.
SELECT
  m.request_id, m.member_no, f.kind, f.from_on, f.to_on, f.detail,
  mp.doubtful OR (f.name_token IS NOT NULL AND f.name_token <> m.name_token) AS name_differs,
  u.stale, f.dataset, f.fact_no
FROM fact_status f
JOIN member_persons mp ON mp.person = f.person
JOIN members m ON m.request_id = mp.request_id AND m.member_no = mp.member_no
JOIN usable_sources u ON u.request_id = m.request_id AND u.member_no = m.member_no AND u.dataset = f.dataset
