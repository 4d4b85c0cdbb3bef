SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'vessel' AS class,
  'vessel ' || vessel AS asset,
  concat_ws(' ', kind, CAST(tonnage_tenths // 10 AS VARCHAR) || ' 总吨') AS label,
  vessel_name AS display,
  CASE WHEN share_bp IS NULL OR share_bp = 10000 THEN 'sole' ELSE 'shares' END AS ownership,
  COALESCE(share_bp, 10000) AS share_bp,
  value_fen, 'CNY' AS currency,
  CASE WHEN status = 'normal' THEN 'held' ELSE status END AS status,
  CASE WHEN status <> 'normal' THEN status_on END AS status_on,
  registered_on AS acquired_on
FROM transport__vessels
