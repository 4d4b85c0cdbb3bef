SELECT
  person, person_name AS name_token,
  dataset, extract_digest, row_no, row_digest,
  'vehicle' AS class,
  plate_kind || ' ' || CAST(plate AS VARCHAR) AS asset,
  concat_ws(' ', brand, model) AS label,
  plate_shown AS display,
  'sole' AS ownership, 10000 AS share_bp,
  value_fen, 'CNY' AS currency,
  CASE WHEN status = 'normal' THEN 'held' ELSE status END AS status,
  CASE WHEN status = 'normal' THEN NULL ELSE status_on END AS status_on,
  registered_on AS acquired_on,
  use_character
FROM public_security__vehicle_registration
