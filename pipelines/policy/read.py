"""YAML files of a policy pack as models, refused by file and field."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.policy.errors import PolicyError

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """YAML that refuses a key written twice, which otherwise would silently win."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[object, object]:
    seen: set[object] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, name: str) -> object:
    """The content of a YAML file.

    Raises:
        PolicyError: not there, not YAML, or a key twice.
    """
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a CSafeLoader
    except FileNotFoundError:
        raise PolicyError(name, "-", "there is no such file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "-"
        raise PolicyError(name, where, str(getattr(error, "problem", "not YAML"))) from None


def read_model(model: type[Model], path: Path, name: str) -> Model:
    """A file as its model; ``name`` is what errors call it.

    Raises:
        PolicyError: the first field that does not fit.
    """
    try:
        return model.model_validate(read_yaml(path, name) or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise PolicyError(name, ".".join(str(part) for part in first["loc"]) or "-", first["msg"]) from None
