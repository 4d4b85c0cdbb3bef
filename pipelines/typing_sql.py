"""The SELECT that types one delivered dataset, generated from its contract.

Input is a relation with ``row_no`` and, for the contract's column number ``i``, ``s<i>`` the value as delivered;
for identifiers, names and display fields ``t<i>`` the token or sealed value; for identifiers ``r<i>`` what is wrong
(``IdProblem``, 0 is nothing); for subjects ``in<i>`` whether the person is in scope. Output is one row for each,
typed under our names, with ``problems``: ``column:reason`` of everything that keeps the row from being admitted,
joined by ``;`` and empty for a good row; of a row that is here only because its key was held by somebody in scope,
nothing but its key and its persons is judged. Values never leave through a reason.

Money goes from decimal text to whole fen without any arithmetic; a pattern decides beforehand that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.contract import Column, Contract
from pipelines.identifiers import IdProblem

SENTINELS = ("00000000", "99991231", "0000-00-00", "9999-12-31", "0000/00/00", "9999/12/31", "000000", "999912")
_AMOUNT = r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?"
_DATE = r"[0-9]{8}|[0-9]{4}(-[0-9]{1,2}-|/[0-9]{1,2}/)[0-9]{1,2}( 00:00:00)?"
_MONTH = rf"[0-9]{{6}}|[0-9]{{4}}[-/][0-9]{{1,2}}|{_DATE}"
_SHARE = r"[0-9]{1,3}(\.[0-9]{1,9})?%?|[0-9]{1,9} *[/／] *[0-9]{1,9}"
_TRUE = ("1", "Y", "y", "true", "是", "T")
_FALSE = ("0", "N", "n", "false", "否", "F")

Rule = tuple[str, str]  # the value, NULL when it cannot be had; the reason when there was text and no value


def text(value: str) -> str:
    """``value`` as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _listed(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(text(value) for value in values) + ")"


def _whole_number(c: str, column: Column, reasons: tuple[str, str, str]) -> Rule:
    """A decimal text times the column's factor (a power of ten), exact or not at all.

    The point is moved in the text. DECIMAL wider than 18 digits, which every amount would need, is read a hundred
    times slower by DuckDB 1.5.5.
    """
    places = len(str(column.factor)) - 1
    exact = _AMOUNT.replace("[0-9]+)?", f"[0-9]{{1,{places}}}0*)?" if places else "0+)?")
    plain = f"replace({c}, ',', '')"
    digits = f"split_part({plain}, '.', 1) || rpad(split_part({plain}, '.', 2), {places}, '0')"
    value = f"CASE WHEN regexp_full_match({c}, '{exact}') THEN TRY_CAST({digits} AS BIGINT) END"
    malformed, inexact, too_large = reasons
    reason = (
        f"CASE WHEN regexp_full_match({c}, '{exact}') THEN '{too_large}' "
        f"WHEN regexp_full_match({c}, '{_AMOUNT}') THEN '{inexact}' ELSE '{malformed}' END"
    )
    return value, reason


def _money(c: str, column: Column) -> Rule:
    return _whole_number(c, column, ("malformed_amount", "part_of_a_fen", "amount_too_large"))


def _int(c: str, column: Column) -> Rule:
    if column.name and column.name.endswith("_bp"):
        return _share(c, column)
    return _whole_number(c, column, ("malformed_number", "not_whole", "number_too_large"))


def _share(c: str, column: Column) -> Rule:
    """A share as basis points, nearest one: ``1/2``, ``50%``, or a number in the contract's factor; 0 is unknown.

    A bare number of at most 1 in a column of percents may be a percent or a fraction: it is not guessed.
    """
    top, bottom = (f"TRY_CAST(trim(split_part(replace({c}, '／', '/'), '/', {n})) AS BIGINT)" for n in (1, 2))
    percent = f"CAST(TRY_CAST(replace({c}, '%', '') AS DECIMAL(18, 9)) * 100 AS BIGINT)"
    bare = f"CAST(TRY_CAST({c} AS DECIMAL(18, 9)) * {column.factor} AS BIGINT)"
    guess = f"WHEN TRY_CAST({c} AS DECIMAL(18, 9)) <= 1 THEN NULL " if column.factor < 10_000 else ""
    points = (
        f"CASE WHEN NOT regexp_full_match({c}, '{_SHARE}') THEN NULL "
        f"WHEN regexp_matches({c}, '[/／]') THEN (20000 * {top} + {bottom}) // (2 * nullif({bottom}, 0)) "
        f"WHEN contains({c}, '%') THEN {percent} {guess}ELSE {bare} END"
    )
    value = f"CASE WHEN {points} BETWEEN 1 AND 10000 THEN CAST({points} AS INTEGER) END"
    reason = f"CASE WHEN regexp_full_match({c}, '{_SHARE}') THEN 'ambiguous_share' ELSE 'malformed_share' END"
    return value, reason


def _iso(c: str) -> str:
    """``c``, which matches a date's pattern, as year-month-day."""
    return (
        f"CASE WHEN length({c}) = 8 AND regexp_full_match({c}, '[0-9]+') THEN "
        f"substr({c}, 1, 4) || '-' || substr({c}, 5, 2) || '-' || substr({c}, 7, 2) "
        f"ELSE replace(split_part({c}, ' ', 1), '/', '-') END"
    )


def _date(c: str, column: Column) -> Rule:
    """The three usual forms; a day that no calendar has is malformed."""
    return f"CASE WHEN regexp_full_match({c}, '{_DATE}') THEN TRY_CAST({_iso(c)} AS DATE) END", "'malformed_date'"


def _month(c: str, column: Column) -> Rule:
    """``202607``, ``2026-07``, ``2026/7`` or any day of the month, as the month's first day."""
    value = (
        f"CASE WHEN regexp_full_match({c}, '[0-9]{{6}}') "
        f"THEN TRY_CAST(substr({c}, 1, 4) || '-' || substr({c}, 5, 2) || '-01' AS DATE) "
        f"WHEN regexp_full_match({c}, '[0-9]{{4}}[-/][0-9]{{1,2}}') "
        f"THEN TRY_CAST(replace({c}, '/', '-') || '-01' AS DATE) "
        f"WHEN regexp_full_match({c}, '{_MONTH}') "
        f"THEN CAST(date_trunc('month', TRY_CAST({_iso(c)} AS DATE)) AS DATE) END"
    )
    return value, "'malformed_month'"


def _code(c: str, column: Column) -> Rule:
    cases = " ".join(f"WHEN {text(theirs)} THEN {text(ours)}" for theirs, ours in (column.codes or {}).items())
    return f"CASE {c} {cases} END", "'unknown_code'"


def _flag(c: str, column: Column) -> Rule:
    return (
        f"CASE WHEN {c} IN {_listed(_TRUE)} THEN true WHEN {c} IN {_listed(_FALSE)} THEN false END",
        "'unknown_flag'",
    )


def _text(c: str, column: Column) -> Rule:
    return c, "'malformed_text'"


_RULES: dict[str, Callable[[str, Column], Rule]] = {
    "money": _money,
    "int": _int,
    "date": _date,
    "month": _month,
    "code": _code,
    "flag": _flag,
    "text": _text,
}


def kept_columns(contract: Contract) -> list[tuple[int, Column]]:
    """Position and column of everything that is not dropped."""
    return [(i, column) for i, column in enumerate(contract.columns) if column.sensitivity != "drop"]


def sealed(column: Column) -> bool:
    """Whether the column reaches SQL as a token or a sealed value rather than as text."""
    return column.type in ("id", "name", "display")


def _cleaned(i: int, column: Column) -> str:
    """The delivered value as trimmed text; nothing, and the departments' ways to write nothing, are NULL."""
    trimmed = f"nullif(trim(CAST(s{i} AS VARCHAR)), '')"
    if column.type in ("date", "month"):
        trimmed = f"CASE WHEN {trimmed} IN {_listed(SENTINELS)} THEN NULL ELSE {trimmed} END"
    if column.type == "int" and column.name and column.name.endswith("_bp"):
        trimmed = f"CASE WHEN regexp_full_match({trimmed}, '0+(\\.0*)?%?') THEN NULL ELSE {trimmed} END"
    return f"{trimmed} AS c{i}"


def _missing_allowed(contract: Contract, column: Column) -> str:
    """A condition: the column may be empty in this row. A deletion needs no more than its key (R8)."""
    if column.name in contract.key:
        return "false"
    if column.nullable or column.name == "op":
        return "true"
    return "deleted" if any(c.name == "op" for c in contract.columns) else "false"


def _problem(contract: Contract, i: int, column: Column) -> str:
    """``column:reason`` or NULL."""
    allowed = _missing_allowed(contract, column)
    if column.type == "id":
        missing = IdProblem.missing.value
        reasons = " ".join(
            f"WHEN {p.value} THEN 'identifier_{p.name}'"
            for p in IdProblem
            if p not in (IdProblem.ok, IdProblem.missing)
        )
        judged = (
            f"CASE WHEN r{i} = 0 THEN NULL WHEN r{i} = {missing} AND {allowed} THEN NULL "
            f"WHEN r{i} = {missing} THEN 'identifier_missing' ELSE CASE r{i} {reasons} END END"
        )
    elif sealed(column):
        judged = f"CASE WHEN t{i} IS NULL AND NOT ({allowed}) THEN 'missing' END"
    else:
        wrong = _RULES[column.type](f"c{i}", column)[1]
        judged = (
            f"CASE WHEN v{i} IS NOT NULL THEN NULL WHEN c{i} IS NOT NULL THEN {wrong} "
            f"WHEN {allowed} THEN NULL ELSE 'missing' END"
        )
    return f"{text(f'{column.name}:')} || ({judged})"


def _delivered(contract: Contract) -> str:
    """The row as delivered, dropped columns included, as one JSON array of text: no two rows give the same."""
    return "to_json([" + ", ".join(f"CAST(s{i} AS VARCHAR)" for i in range(len(contract.columns))) + "])::VARCHAR"


def typed_select(contract: Contract, relation: str) -> str:
    """The whole statement.

    The session's variables ``row_inner`` and ``row_outer`` hold the two padded keys of HMAC-SHA256 (RFC 2104).

    Args:
        contract: what the columns are.
        relation: name of the input described at the top of this module.
    """
    columns = kept_columns(contract)
    plain = [(i, column) for i, column in columns if not sealed(column)]
    op = next((i for i, column in columns if column.name == "op"), None)
    deleted = f"coalesce(v{op} = 'delete', false)" if op is not None else "false"
    cleaned = ", ".join(["*", *(_cleaned(i, column) for i, column in plain)])
    valued = ", ".join(["*", *(f"{_RULES[column.type](f'c{i}', column)[0]} AS v{i}" for i, column in plain)])
    ours = [f'{"t" if sealed(column) else "v"}{i} AS "{column.name}"' for i, column in columns if column.name != "op"]
    problems = ", ".join(_problem(contract, i, column) for i, column in columns)
    owners = [_problem(contract, i, column) for i, column in columns if column.subject or column.name in contract.key]
    concerned = ", ".join(f"CASE WHEN in{i} THEN t{i} END" for i, column in columns if column.subject)
    inside = " OR ".join(f"in{i}" for i, column in columns if column.subject)
    digest = f"sha256(getvariable('row_inner') || encode({_delivered(contract)}))"
    return f"""
WITH cleaned AS (SELECT {cleaned} FROM {relation}),
valued AS (SELECT {valued} FROM cleaned),
marked AS (SELECT *, {deleted} AS deleted FROM valued)
SELECT {", ".join(ours)}, row_no,
       left(sha256(getvariable('row_outer') || unhex({digest})), 32) AS row_digest,
       CASE WHEN deleted THEN 'delete' ELSE 'upsert' END AS op,
       CASE WHEN {inside} THEN concat_ws(';', {problems}) ELSE concat_ws(';', {", ".join(owners)}) END AS problems,
       list_filter([{concerned}], lambda person: person IS NOT NULL) AS concerned,
       {inside} AS in_scope
FROM marked"""
