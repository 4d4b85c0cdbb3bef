"""What can be wrong with a pack, or with what it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.errors import HeduiError


@dataclass(eq=False)
class PolicyError(HeduiError):
    """A pack cannot be used: which file, which field, why."""

    file: str
    field: str
    reason: str

    zh = "政策包有误：{file} 的 {field}：{reason}"
    en = "policy pack: {file}, {field}: {reason}"
    todo = "correct the field; `hedui policy check` reads the whole pack"
    exit_code = 2


@dataclass(eq=False)
class PolicyDateError(HeduiError):
    """No value yet: the date lies before the first one (a limit is never guessed backwards)."""

    parameter: str
    division: str
    on: date
    first: date

    zh = "参数 {parameter} 在 {on}(区划 {division})尚无取值，最早为 {first}"
    en = "parameter {parameter} has no value on {on} in {division}: its first is of {first}"
    todo = "add the earlier value with its citation, or correct the application date"
    exit_code = 2


@dataclass(eq=False)
class PolicyEndedError(HeduiError):
    """No value any more: the last one has a stated end and nothing follows it."""

    parameter: str
    division: str
    on: date
    ended: date

    zh = "参数 {parameter} 在 {on}(区划 {division})无取值，上一取值止于 {ended}"
    en = "parameter {parameter} has no value on {on} in {division}: the last one ended on {ended}"
    todo = "add the value that follows, with its citation"
    exit_code = 2


@dataclass(eq=False)
class PolicyMissingError(HeduiError):
    """The pack has no value at all for this place, or does not serve it."""

    what: str
    division: str
    pack: str

    zh = "政策包 {pack} 对区划 {division} 没有 {what}"
    en = "policy pack {pack} has no {what} for {division}"
    todo = "use the pack of that place, or add the value with its citation"
    exit_code = 2
