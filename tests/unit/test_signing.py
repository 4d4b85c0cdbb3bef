"""The signature of a batch's reports: the tree against published vectors, and what a touched file is told."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipelines.signing import _RULES, Seal, Tree, canonical, check, digest, public_key_id, root_of, schema
from tests.issuing import KEY, issued

OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
DIGESTS = [hashlib.sha256(bytes([i])).hexdigest() for i in range(70)]


def test_tree_has_the_roots_that_certificate_transparency_publishes() -> None:
    # the inputs and roots of the reference implementation's own tests (google/certificate-transparency)
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    assert {n: Tree(inputs[:n]).root.hex() for n in roots} == roots


@given(st.integers(1, 70), st.data())
def test_every_path_leads_to_the_root_and_no_other_place_or_digest_does(size: int, data: st.DataObject) -> None:
    tree = Tree(DIGESTS[:size])
    index = data.draw(st.integers(0, size - 1))
    path = [value.hex() for value in tree.path(index)]
    assert root_of(DIGESTS[index], index, size, path) == tree.root
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index or size == 1))
    if size > 1:
        assert root_of(DIGESTS[other], index, size, path) != tree.root
        assert root_of(DIGESTS[index], other, size, path) != tree.root
    assert root_of(DIGESTS[index], index, size, [*path, "00" * 32]) is None
    assert root_of(DIGESTS[index], index, size, path[:-1]) != tree.root or size == 1


def test_place_outside_the_tree_leads_nowhere() -> None:
    assert root_of(DIGESTS[0], 1, 1, []) is None
    assert root_of(DIGESTS[0], -1, 1, []) is None


@pytest.fixture
def report() -> dict[str, Any]:
    return next(iter(issued().values()))


def parts(document: object, key: Any = None) -> list[str]:
    return [problem.part for problem in check(document, key or KEY.public_key())]  # type: ignore[arg-type]


def test_report_as_issued_is_right_whatever_its_layout(report: dict[str, Any]) -> None:
    assert parts(report) == []
    assert parts(canonical(report)) == []
    shuffled = dict(reversed(report.items()))
    assert parts(json.dumps(shuffled, indent=4)) == []


def test_changed_figure_breaks_the_digest(report: dict[str, Any]) -> None:
    report["income"]["total_fen"]["low"] += 1
    assert parts(report) == ["digest"]


def test_changed_figure_with_its_new_digest_does_not_lead_to_the_root(report: dict[str, Any]) -> None:
    report["income"]["total_fen"]["low"] += 1
    report["digest"] = digest(report)
    assert parts(report) == ["path"]


def test_changed_path_and_root_are_told(report: dict[str, Any]) -> None:
    report["signature"]["path"][0] = "00" * 32
    assert parts(report) == ["path"]


def test_forged_root_is_not_signed(report: dict[str, Any]) -> None:
    forged = Tree([report["digest"]])
    report["signature"] |= {"root": forged.root.hex(), "index": 0, "size": 1, "path": []}
    assert parts(report) == ["signature"]


def test_other_key_is_told_and_a_forgery_under_its_name_too(report: dict[str, Any]) -> None:
    assert parts(report, OTHER) == ["key"]
    report["signature"]["public_key_id"] = public_key_id(OTHER)
    assert parts(report, OTHER) == ["signature"]


def test_signature_of_a_bare_root_is_not_one(report: dict[str, Any]) -> None:
    report["signature"]["signature"] = KEY.sign(bytes.fromhex(report["signature"]["root"])).hex()
    assert parts(report) == ["signature"]


def test_schema_problems_name_the_field_and_never_a_value(report: dict[str, Any]) -> None:
    report["members"][0]["name"] = 31
    report["conclusion"]["limits"] = "秘密"
    del report["window"]["from"]
    report["extra"] = 1
    problems = check(report, KEY.public_key())
    fields = {problem.field for problem in problems if problem.part == "schema"}
    assert fields == {"members.0.name", "conclusion.limits", "window.from", "extra"}
    assert "秘密" not in str(problems)
    assert "31" not in "".join(problem.zh + problem.en for problem in problems)


def test_schema_problems_say_what_is_expected(report: dict[str, Any]) -> None:
    report["members"][0]["name"] = 31
    report["conclusion"]["limits"] = "秘密"
    del report["window"]["from"]
    told = {problem.field: problem.en for problem in check(report, KEY.public_key()) if problem.part == "schema"}
    assert told["members.0.name"].endswith("the type should be string")
    assert "over_limit" in told["conclusion.limits"]
    assert told["window.from"].endswith("the field is missing")


def test_every_rule_of_the_schema_has_words() -> None:
    known = Draft202012Validator.VALIDATORS.keys() - {"$ref", "properties", "items"}
    assert _keywords(schema()) & known == set(_RULES)


def _keywords(part: object) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_keywords, part)) if part else set()
    if not isinstance(part, dict):
        return set()
    below = [value for key, value in part.items() if key not in ("properties", "$defs", "enum", "const", "required")]
    for named in ("properties", "$defs"):
        below += part.get(named, {}).values()
    return set(part).union(*map(_keywords, below))


def test_missing_signature_is_told_and_not_fatal(report: dict[str, Any]) -> None:
    del report["signature"], report["digest"]
    assert {problem.field for problem in check(report, KEY.public_key())} == {"digest|signature"}


@pytest.mark.parametrize(
    "text", [b"\xff", b"{", b"[]", b'{"a": 1, "a": 2}', b'{"a": 1.5}', b'{"a": NaN}', b"3"], ids=repr
)
def test_what_is_no_json_report_is_told(text: bytes) -> None:
    assert parts(text) == ["json"]


def test_seal_is_the_same_every_time() -> None:
    assert Seal.of(Tree(DIGESTS), KEY) == Seal.of(Tree(DIGESTS), KEY)


def test_every_field_of_the_schema_says_what_it_means() -> None:
    def without(node: Any, path: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        missing = [] if node.get("description") or "anyOf" in node else [path]
        for name, child in node.get("properties", {}).items():
            missing += without(child, f"{path}.{name}")
        if "$ref" not in node.get("items", {"$ref": ""}):
            missing += without(node["items"], f"{path}[]")
        return missing

    assert without(schema(), "") == []
    assert [gap for name, part in schema()["$defs"].items() for gap in without(part, name)] == []
