"""The auditors' site: static pages and downloads over all batches and departments, made of counts only.

``record`` keeps what a batch counted; ``published`` makes tables of all records, with small cells hidden; ``pages``
and ``downloads`` draw and write those tables and nothing else. See docs/decisions/0034-small-cells.md.
"""
