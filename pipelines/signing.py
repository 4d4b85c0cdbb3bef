"""One signature for all reports of a batch, and the offline check of a single report.

The digests of a batch's reports are the leaves of a Merkle tree (RFC 9162 section 2.1: leaf prefix 0x00, node prefix
0x01); Ed25519 (RFC 8032) signs its root once. Each report carries the path from its own digest to that root, so one
file and the public key are enough to check it, and a report says nothing of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# Signed together with the root, so that a signature of this key over anything else never passes for a batch's.
CONTEXT = b"hedui.report/1 batch root\x00"
UNSIGNED = ("digest", "signature")


def canonical(document: object) -> bytes:
    """The canonical bytes of a document of objects, lists, texts, integers, booleans and null (RFC 8785)."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(document: dict[str, Any]) -> str:
    """SHA-256 (hex) of the canonical document without ``digest`` and ``signature``."""
    rest = {key: value for key, value in document.items() if key not in UNSIGNED}
    return hashlib.sha256(canonical(rest)).hexdigest()


def public_key_id(key: Ed25519PublicKey) -> str:
    """The name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _leaf(report_digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + report_digest).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A Merkle tree over report digests, in their order.

    Args:
        digests: SHA-256 digests as hex, at least one.
    """

    def __init__(self, digests: list[str]) -> None:
        level = [_leaf(bytes.fromhex(text)) for text in digests]
        self._levels = [level]
        while len(level) > 1:
            above = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            if len(level) % 2:
                above.append(level[-1])  # the odd one goes up as it is, which is RFC 9162's split
            self._levels.append(above)
            level = above

    @property
    def root(self) -> bytes:
        """The hash that is signed."""
        return self._levels[-1][0]

    @property
    def size(self) -> int:
        """How many reports the tree holds."""
        return len(self._levels[0])

    def path(self, index: int) -> list[bytes]:
        """The neighbours on the way from leaf ``index`` up to the root."""
        found = []
        for level in self._levels[:-1]:
            neighbour = index ^ 1
            if neighbour < len(level):
                found.append(level[neighbour])
            index //= 2
        return found


def root_of(report_digest: str, index: int, size: int, path: list[str]) -> bytes | None:
    """The root that a path leads to (RFC 9162 section 2.1.3.2), or None if it does not fit the tree's size."""
    if not 0 <= index < size:
        return None
    position, last, value = index, size - 1, _leaf(bytes.fromhex(report_digest))
    for text in path:
        if last == 0:
            return None
        neighbour = bytes.fromhex(text)
        if position % 2 or position == last:
            value = _node(neighbour, value)
            while position % 2 == 0 and position != 0:
                position, last = position // 2, last // 2
        else:
            value = _node(value, neighbour)
        position, last = position // 2, last // 2
    return value if last == 0 else None


@dataclass(frozen=True)
class Seal:
    """What is signed once for a batch: root, number of reports, signature, and whose key it was (all hex)."""

    root: str
    size: int
    public_key_id: str
    signature: str

    @classmethod
    def of(cls, tree: Tree, key: Ed25519PrivateKey) -> Seal:
        """Sign the root of ``tree``."""
        signature = key.sign(CONTEXT + tree.root).hex()
        return cls(tree.root.hex(), tree.size, public_key_id(key.public_key()), signature)

    def field(self, tree: Tree, index: int) -> bytes:
        """The canonical ``signature`` object of the report at ``index``."""
        path = ",".join(f'"{value.hex()}"' for value in tree.path(index))
        return (
            f'{{"algorithm":"ed25519","index":{index},"path":[{path}],"public_key_id":"{self.public_key_id}",'
            f'"root":"{self.root}","signature":"{self.signature}","size":{self.size}}}'
        ).encode()


# Rules of JSON Schema in words; for those in _TOLD, what is asked for follows.
_RULES = {
    "required": ("缺少此项", "the field is missing"),
    "additionalProperties": ("多出此项", "no such field is known"),
    "type": ("类型应为", "the type should be"),
    "enum": ("应为其中之一：", "should be one of"),
    "const": ("应为", "should be"),
    "pattern": ("写法应符合", "should be written as"),
    "minimum": ("不应小于", "should not be below"),
    "maximum": ("不应大于", "should not be above"),
    "minLength": ("长度不应小于", "should not be shorter than"),
    "anyOf": ("不是所允许的任何一种形式", "is none of the forms that are allowed"),
}
_TOLD = frozenset({"type", "enum", "const", "pattern", "minimum", "maximum", "minLength"})


@dataclass(frozen=True)
class Problem:
    """What is wrong with a report file: which part, at which field, in words (never a value of the file)."""

    part: str
    field: str
    zh: str
    en: str


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema of a report."""
    text = resources.files("pipelines").joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check(document: bytes | str | dict[str, Any], public_key: Ed25519PublicKey) -> list[Problem]:
    """Verify a report offline: its form, its digest, its path to the batch's root, the signature.

    Args:
        document: the file as it is, or what it parses to; white space and order of keys do not matter.
        public_key: the site's published key.

    Returns:
        Every problem found; an empty list means that the report is as it was issued.
    """
    if not isinstance(document, dict):
        try:
            document = _parse(document)
        except ValueError as error:
            return [Problem("json", "", "不是有效的 JSON 报告文件", f"not a JSON report: {error}")]
    problems = list(_schema_problems(document))
    if any(name in problem.field for problem in problems for name in UNSIGNED):
        return problems
    return problems + list(_seal_problems(document, public_key))


def _parse(text: bytes | str) -> dict[str, Any]:
    """Parse strictly: one meaning for every reader, so no key twice and no fractions."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key occurs twice in one object")
        return found

    def fraction(_: str) -> None:
        raise ValueError("a number is not an integer")

    try:
        document = json.loads(text, object_pairs_hook=once, parse_float=fraction, parse_constant=fraction)
    except json.JSONDecodeError as error:
        raise ValueError(f"broken at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def _schema_problems(document: dict[str, Any]) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    errors = Draft202012Validator(schema()).iter_errors(document)
    # each required field that is missing is an error of its own, whose message alone names it; that message would
    # quote values of the household: what is told instead is what the schema expects
    found = {(_field(error), str(error.validator), _expected(error)) for error in errors}
    for field, rule, expected in sorted(found):
        zh, en = _RULES.get(rule, (f"不符合 {rule}", f"breaks {rule}"))
        more = f" {expected}" if expected else ""
        yield Problem("schema", field, f"不符合报告格式：{zh}{more}", f"does not fit the report schema: {en}{more}")


def _expected(error: Any) -> str:
    """What the schema asks for at this place, where it is short enough to be told."""
    if error.validator not in _TOLD:
        return ""
    asked = error.validator_value
    return ", ".join(map(str, asked)) if isinstance(asked, list) else str(asked)


def _field(error: Any) -> str:
    path = [str(part) for part in error.absolute_path]
    if error.validator in ("required", "additionalProperties"):
        names = set(error.validator_value if error.validator == "required" else error.instance)
        known = set(error.instance if error.validator == "required" else error.schema["properties"])
        path.append("|".join(sorted(names - known)))
    return ".".join(path)


def _seal_problems(document: dict[str, Any], public_key: Ed25519PublicKey) -> Iterator[Problem]:
    seal = document["signature"]
    if digest(document) != document["digest"]:
        yield Problem(
            "digest",
            "digest",
            "内容与摘要不符：报告签发后内容被改动",
            "the content does not give this digest: it was changed after the report was issued",
        )
    led_to = root_of(document["digest"], seal["index"], seal["size"], seal["path"])
    if led_to is None or led_to.hex() != seal["root"]:
        yield Problem(
            "path",
            "signature.path",
            "摘要不能沿路径到达批次根值：摘要或路径被改动",
            "the digest does not lead to the batch root: digest or path was changed",
        )
    if seal["public_key_id"] != public_key_id(public_key):
        yield Problem(
            "key",
            "signature.public_key_id",
            "签名使用的是另一把密钥",
            "the report names another key than the one given",
        )
        return
    try:
        public_key.verify(bytes.fromhex(seal["signature"]), CONTEXT + bytes.fromhex(seal["root"]))
    except InvalidSignature:
        yield Problem(
            "signature",
            "signature.signature",
            "批次根值的签名无效",
            "the signature over the batch root is not by this key",
        )
