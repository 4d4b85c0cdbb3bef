-- One row per household: the text between the lists of its document, in the order of the keys (code points). A column
-- ends where the list of its name begins; digest, signature, supersedes and version go in where those columns end.
WITH bounds AS (
    SELECT request_id, map_from_entries(list(struct_pack(
        k := figure, v := concat('{"high":', coalesce(CAST(high AS VARCHAR), 'null'), ',"low":', low, '}')
    ))) AS figure
    FROM figures GROUP BY request_id
),
income AS (
    SELECT request_id, high // nullif(counted * window_months, 0) AS high, low // nullif(counted * window_months, 0) AS low
    FROM figures JOIN households USING (request_id)
    WHERE figure = 'income'
)
SELECT
    k.report_id, h.policy_id,
    concat('{"application_date":"', h.application_date, '","area_kind":"', h.area_kind, '","as_of":"', b.as_of,
        '","assets":{"businesses":', coalesce(f.figure['businesses'], 'null'),
        ',"financial_fen":', coalesce(f.figure['financial_assets'], 'null'),
        ',"homes":', coalesce(f.figure['homes'], 'null'), ',"items":[') AS assets,
    concat('],"vehicles":', coalesce(f.figure['vehicles'], 'null'), '},"conclusion":{"declaration":"', c.declaration,
        '","limits":"', c.limits, '","review":[') AS review,
    ']},"coverage":[' AS coverage,
    '],"decisive":[' AS decisive,
    '],"declaration":[' AS declaration,
    '],' AS digest,
    concat('"division":', to_json(struct_pack(code := h.division, name := n.name)), ',"expenses":[') AS expenses,
    concat('],"format":"hedui.report/1"', ',"income":{"categories_fen":{"business":', coalesce(f.figure['income.business'], 'null'),
        ',"property":', coalesce(f.figure['income.property'], 'null'),
        ',"transfer":', coalesce(f.figure['income.transfer'], 'null'),
        ',"wage":', coalesce(f.figure['income.wage'], 'null'), '},"deductions":[') AS deductions,
    '],"items":[' AS income,
    concat('],"per_capita_monthly_fen":', to_json(struct_pack(high := i.high, low := i.low)),
        ',"total_fen":', coalesce(f.figure['income'], 'null'), '},"members":[') AS members,
    concat('],', p.after_members, ',"reference_date":"', h.reference_date, '","report_id":"', k.report_id,
        '","request_id":', to_json(h.request_id), ',') AS signature,
    concat('"sources":', p.sources, ',"suitable":[') AS suitable,
    '],"supersedes":' AS supersedes,
    ',"tests":[' AS tests,
    concat('],"valid_until":"', p.valid_until, '","version":') AS version,
    concat(',"window":{"from":"', h.window_from, '","months":', h.window_months, ',"to":"', h.window_to,
        '"},"withheld":[') AS withheld
FROM households AS h
JOIN places AS k USING (request_id)
CROSS JOIN batch AS b
JOIN policy_texts AS p USING (policy_id)
JOIN conclusions AS c USING (request_id)
LEFT JOIN bounds AS f USING (request_id)
LEFT JOIN income AS i USING (request_id)
LEFT JOIN divisions AS n ON n.code = h.division
ORDER BY k.place
