"""Programmes of a pack: read from their files, one taking over what it shares with another (``like``)."""

from __future__ import annotations

from pathlib import Path

from pipelines.policy.errors import PolicyError
from pipelines.policy.model import Law, Programme, ProgrammeFile
from pipelines.policy.read import read_model
from pipelines.policy.rows import refuse_cites
from pipelines.policy.values import is_code


def read_programmes(
    files: list[tuple[Path, str]], known: dict[str, Programme], laws: dict[str, Law]
) -> dict[str, Programme]:
    """The programmes of a pack's folder, laid over those of the pack that it extends.

    Args:
        files: each with the name that errors call it.
        known: programmes of the pack that is extended.
        laws: what may be cited.

    Raises:
        PolicyError: the first thing that is wrong, by file and field.
    """
    parts = {path.stem: (read_model(ProgrammeFile, path, file), file) for path, file in files}
    found = dict(known)
    waiting = list(parts)
    while waiting:
        ready = [name for name in waiting if parts[name][0].like not in waiting]
        if not ready:
            raise PolicyError(parts[waiting[0]][1], "like", "the programmes take over from each other in a circle")
        for name in ready:
            part, file = parts[name]
            found[name] = _programme(name, part, file, known.get(name), found, laws)
        waiting = [name for name in waiting if name not in ready]
    return found


def _programme(
    name: str,
    part: ProgrammeFile,
    file: str,
    own: Programme | None,
    others: dict[str, Programme],
    laws: dict[str, Law],
) -> Programme:
    """One programme: what the pack below says of it, or the one it is like, with this file's own parts laid over."""
    if part.like is not None and part.like not in others:
        raise PolicyError(file, "like", f"{part.like} is not a programme")
    shared = others[part.like] if part.like is not None else own
    title = part.title or (own.title if own else None)
    if title is None or not is_code(name):
        raise PolicyError(file, "title", "a new programme needs a title, and a file name in small letters")
    authorisation = part.authorisation or (shared.authorisation if shared else None)
    if authorisation is None:
        raise PolicyError(file, "authorisation", "a new programme says who must authorise")
    _refuse_cites(part, laws, file)
    programme = Programme(
        name=name,
        title=title,
        cites=part.cites or (own.cites if own else ()),
        check_only=_first(part.check_only, shared.check_only if shared else None, False),
        unknown_persons=_first(part.unknown_persons, shared.unknown_persons if shared else None, False),
        authorisation=authorisation,
        tests={**(shared.tests if shared else {}), **part.tests},
        sources={**(shared.sources if shared else {}), **part.sources},
        sure=part.sure or (own.sure if own else "repost"),
        note=part.note or (own.note if own else None),
    )
    if programme.check_only == bool(programme.tests):
        reason = "true, and there are tests" if programme.tests else "a programme has tests, or says that it is true"
        raise PolicyError(file, "check_only", reason)
    if programme.sure == "example" and not programme.note:
        raise PolicyError(file, "note", "an example needs a note that says why")
    return programme


def _first(*values: bool | None) -> bool:
    return next(value for value in values if value is not None)


def _refuse_cites(part: ProgrammeFile, laws: dict[str, Law], file: str) -> None:
    refuse_cites(laws, part.cites, file, "cites")
    if part.authorisation:
        refuse_cites(laws, part.authorisation.cites, file, "authorisation.cites")
    for name, test in part.tests.items():
        refuse_cites(laws, test.cites, file, f"tests.{name}.cites")
