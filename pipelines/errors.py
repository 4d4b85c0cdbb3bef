"""Errors that say what happened, where, and what to do next; never a personal value.

Every error of Hedui is a class with fields. ``zh`` and ``en`` are templates over those fields, ``todo`` says the
next step. Values from requests or extracts are not fields: name the dataset, the column, the row number instead.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(eq=False)
class HeduiError(Exception):
    """Base of every error; subclasses are dataclasses whose fields fill the two texts."""

    zh = "出错"
    en = "failed"
    todo = ""
    exit_code = 3

    def fields(self) -> dict[str, object]:
        """The fields by name, for logs and JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __str__(self) -> str:
        values = self.fields()
        text = f"{self.zh.format(**values)} / {self.en.format(**values)}"
        return f"{text} → {self.todo.format(**values)}" if self.todo else text

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), tuple(self.fields().values())


@dataclass(eq=False)
class ConfigurationError(HeduiError):
    """The workspace's configuration cannot be used."""

    file: str
    field: str
    reason: str

    zh = "配置有误：{file} 的 {field}：{reason}"
    en = "configuration: {file}, {field}: {reason}"
    todo = "correct the field and run again"
    exit_code = 2


@dataclass(eq=False)
class NotAWorkspaceError(HeduiError):
    """The folder holds no hedui.yaml."""

    folder: str

    zh = "{folder} 不是工作区（没有 hedui.yaml）"
    en = "{folder} is not a workspace (no hedui.yaml)"
    todo = "make one with: hedui init {folder}"
    exit_code = 2


@dataclass(eq=False)
class StageFailedError(HeduiError):
    """A stage of a batch stopped; everything before it is kept."""

    batch: str
    stage: str
    reason: str

    zh = "批次 {batch} 的阶段 {stage} 未完成：{reason}"
    en = "batch {batch}: stage {stage} failed: {reason}"
    todo = "run the same command again: finished stages are not repeated"


@dataclass(eq=False)
class EpochMixedError(HeduiError):
    """Tokens under two keys would meet in one join (R19)."""

    found: str
    expected: str

    zh = "令牌密钥期次不一致：{found} 与 {expected}"
    en = "tokens of key epoch {found} must not meet tokens of epoch {expected}"
    todo = "collect anew under the current epoch: hedui verify"


def where(error: BaseException) -> str:
    """Class and place of an unexpected error; its text could quote a value, so it is left out."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} ({ours[-1].name})" if ours else ""
    return f"{type(error).__name__}{place}"


@dataclass(eq=False)
class ExpectationFailedError(HeduiError):
    """A product breaks an expectation: no report may be made from it."""

    batch: str
    suite: str
    expectation: str
    broken: int

    zh = "批次 {batch} 的 {suite} 有 {broken} 行不符合 {expectation}"
    en = "batch {batch}: {broken} rows of {suite} break {expectation}"
    todo = "no report of this batch is issued; the quality pages name the rule; report this as a defect"
