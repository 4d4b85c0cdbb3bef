-- One row per household: the canonical document, cut where digest, signature, supersedes and version go in.
-- Keys are in code-point order and every part is JSON already, so that joining the texts is all that is left.
SELECT h.request_id, k.report_id,
    encode(concat('{"application_date":', to_json(h.application_date), ',"area_kind":', to_json(h.area_kind),
        ',"as_of":', to_json(b.as_of),
        ',"assets":{"businesses":', coalesce(f.businesses, 'null'), ',"financial_fen":', coalesce(f.financial, 'null'),
        ',"homes":', coalesce(f.homes, 'null'), ',"items":', coalesce(a.items, '[]'),
        ',"vehicles":', coalesce(f.vehicles, 'null'), '},"conclusion":', c.conclusion,
        ',"coverage":', coalesce(v.coverage, '[]'), ',"decisive":', coalesce(e.decisive, '[]'),
        ',"declaration":', coalesce(d.declaration, '[]'), ',')) AS before_digest,
    encode(concat('"division":', to_json(struct_pack(code := h.division, name := n.name)),
        ',"extracts":', coalesce(s.extracts, '[]'), ',"format":"hedui.report/1"',
        ',"income":{"categories_fen":', coalesce(f.categories, 'null'), ',"deductions":', coalesce(u.deductions, '[]'),
        ',"items":', coalesce(i.items, '[]'), ',"per_capita_monthly_fen":', coalesce(f.per_capita_monthly, 'null'),
        ',"total_fen":', coalesce(f.income, 'null'), '},"members":', m.members, ',"notices":', b.notices,
        ',"objection":', to_json(struct_pack(days := p.objection_days, how := struct_pack(en := b.how_en, zh := b.how_zh),
            until := CAST(b.as_of_date + to_days(p.objection_days) AS DATE))),
        ',"policy":', to_json(struct_pack(digest := p.digest, pack := p.pack, version := p.version)),
        ',"programme":', to_json(struct_pack(en := p.programme_en, id := h.programme, zh := p.programme_zh)),
        ',"reference_date":', to_json(h.reference_date), ',"report_id":', to_json(k.report_id),
        ',"request_id":', to_json(h.request_id), ',')) AS before_signature,
    encode(concat('"sources":', coalesce(s.sources, '[]'), ',"supersedes":')) AS before_supersedes,
    encode(concat(',"tests":', coalesce(t.tests, '[]'), ',"valid_until":',
        to_json(CAST(b.as_of_date + to_months(p.validity_months) AS DATE)), ',"version":')) AS before_version,
    encode(concat(',"window":', to_json(struct_pack("from" := h.window_from, months := h.window_months, "to" := h.window_to)),
        ',"withheld":', coalesce(w.withheld, '[]'), '}')) AS after_version
FROM households AS h
CROSS JOIN batch AS b
JOIN policy AS p USING (policy_id)
JOIN report_ids AS k USING (request_id)
JOIN part_members AS m USING (request_id)
JOIN part_conclusion AS c USING (request_id)
LEFT JOIN part_figures AS f USING (request_id)
LEFT JOIN part_income AS i USING (request_id)
LEFT JOIN part_deductions AS u USING (request_id)
LEFT JOIN part_assets AS a USING (request_id)
LEFT JOIN part_tests AS t USING (request_id)
LEFT JOIN part_declaration AS d USING (request_id)
LEFT JOIN part_decisive AS e USING (request_id)
LEFT JOIN part_coverage AS v USING (request_id)
LEFT JOIN part_sources AS s USING (request_id)
LEFT JOIN part_withheld AS w USING (request_id)
LEFT JOIN divisions AS n ON n.code = h.division
ORDER BY h.request_id
