SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'machinery' AS class,
  'machine ' || certificate AS asset,
  concat_ws(' ', kind, model) AS label,
  machine_plate AS display,
  'sole' AS ownership, 10000 AS share_bp,
  value_fen, 'CNY' AS currency,
  CASE WHEN status = 'normal' THEN 'held' ELSE status END AS status,
  CASE WHEN status <> 'normal' THEN status_on END AS status_on,
  registered_on AS acquired_on
FROM agriculture__machinery
