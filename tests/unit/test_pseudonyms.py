"""Tokens and sealing: known answers, the way back, rotation, no collisions."""

from __future__ import annotations

import hmac
import uuid
from datetime import date
from pathlib import Path
from typing import get_args

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identifiers import IdKind, IdProblem, classify
from pipelines.keys import KeyRing
from pipelines.pseudonyms import (
    AssetKind,
    CipherName,
    Tokeniser,
    TokenUnreadableError,
    UnknownTokenKindError,
    seal,
    unseal,
)
from pipelines.sealing import SealBrokenError
from tests.unit.identifier_examples import ON, Example, pairs, right
from tests.unit.test_identifiers import numbers

RING = KeyRing(bytes(range(32)), Path("none"))
CIPHERS = get_args(CipherName)
PERSON = "11010519491231002X"
# 11010519 and 49123100 as little-endian 32-bit numbers, digit 2, zeros, kind 1.
PERSON_BLOCK = bytes.fromhex("d701a800 1c8fed02 02 000000000000 01")


def tokens(column: list[str | None], epoch: int = 1, cipher: CipherName = "aes256") -> list[uuid.UUID | None]:
    values: list[uuid.UUID | None] = Tokeniser(RING, epoch, cipher).persons(pa.array(column)).values.to_pylist()
    return values


def test_the_block_of_a_number_is_as_documented() -> None:
    assert int.from_bytes(PERSON_BLOCK[:4], "little") == 11010519
    assert int.from_bytes(PERSON_BLOCK[4:8], "little") == 49123100
    assert classify(pa.array([PERSON])).blocks.tobytes() == PERSON_BLOCK


@pytest.mark.parametrize(
    ("algorithm", "key", "plain", "secret"),
    [
        (
            algorithms.AES,  # FIPS 197, C.3
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "00112233445566778899aabbccddeeff",
            "8ea2b7ca516745bfeafc49904b496089",
        ),
        (
            algorithms.SM4,  # GB/T 32907-2016, A.1
            "0123456789abcdeffedcba9876543210",
            "0123456789abcdeffedcba9876543210",
            "681edf34d206965e86b3e94f536e4246",
        ),
    ],
)
def test_ciphers_give_the_answers_of_their_standards(algorithm: type, key: str, plain: str, secret: str) -> None:
    context = Cipher(algorithm(bytes.fromhex(key)), modes.ECB()).encryptor()
    assert context.update(bytes.fromhex(plain)).hex() == secret


@pytest.mark.parametrize(
    ("cipher", "token"),
    [("aes256", "158ef1ca-2b8f-6693-7c53-50596ac3e5b1"), ("sm4", "5a62b4d9-d109-8d67-8fd4-cf4281562ff9")],
)
def test_known_tokens_never_change(cipher: CipherName, token: str) -> None:
    """A token that changes between releases breaks every stored join."""
    assert tokens([PERSON], cipher=cipher) == [uuid.UUID(token)]
    key = RING.token_key("person", 1, 32 if cipher == "aes256" else 16)
    algorithm = algorithms.AES(key) if cipher == "aes256" else algorithms.SM4(key)
    assert Cipher(algorithm, modes.ECB()).encryptor().update(PERSON_BLOCK) == uuid.UUID(token).bytes


def test_a_hashed_token_is_the_encrypted_hmac() -> None:
    value = "370303001001GB00001F00010001"
    inner = hmac.digest(RING.key("token-inner/unit"), value.encode(), "sha256")[:16]
    outer = Cipher(algorithms.AES(RING.token_key("unit", 1)), modes.ECB()).encryptor().update(inner)
    assert Tokeniser(RING, 1).assets(pa.array([value]), "unit").to_pylist() == [uuid.UUID(bytes=outer)]


@pytest.mark.parametrize("cipher", CIPHERS)
@given(column=st.lists(st.one_of(st.none(), numbers, st.text(max_size=20)), max_size=20))
def test_tokens_lead_back_to_the_number(cipher: CipherName, column: list[str | None]) -> None:
    tokeniser = Tokeniser(RING, 1, cipher)
    read = classify(pa.array(column, pa.string()))
    made = tokeniser.persons(pa.array(column, pa.string()))
    assert tokeniser.reidentify(made.values).equals(read.canonical)
    assert np.array_equal(made.reasons, read.reason)
    assert made.values.null_count == int((made.reasons != IdProblem.ok).sum())


@pytest.mark.parametrize("example", right(), ids=lambda e: e.delivered)
def test_every_kind_of_the_specification_leads_back(example: Example) -> None:
    tokeniser = Tokeniser(RING, 3, on=ON)
    made = tokeniser.persons(pa.array([example.delivered]), IdKind.passport if example.passport else None)
    assert tokeniser.reidentify(made.values).to_pylist() == [example.cells["becomes"]]


def test_r10_r11_one_person_one_token() -> None:
    assert len(set(tokens([PERSON, "11010519491231002x", "110105491231002", "１１０１０５４９１２３１００２"]))) == 1


def test_no_two_numbers_share_a_token() -> None:
    bodies = np.char.add("68010219", np.char.zfill(np.arange(700_000, 710_000).astype(str), 6))
    column = pa.array([f"{body}{n:03}" for body in bodies for n in (1, 2, 3)])
    fifteen = Tokeniser(RING, 1).persons(pa.array([f"{text[:6]}{text[8:]}" for text in column.to_pylist()]))
    made = fifteen.values.drop_null().to_pylist()
    assert len(made) > 1000
    assert len(set(made)) == len(made)


def test_purposes_epochs_and_ciphers_do_not_meet() -> None:
    column = pa.array(["13800000001"])
    made = [
        Tokeniser(RING, epoch, cipher).assets(column, kind)[0].as_py()
        for epoch in (1, 2)
        for cipher in CIPHERS
        for kind in get_args(AssetKind)
    ]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    "example",
    pairs(),
    ids=lambda e: f"{e.delivered} {e.cells['also delivered as']}",
)
def test_pairs_of_the_specification(example: Example) -> None:
    tokeniser = Tokeniser(RING, 1)
    column = pa.array([example.delivered, example.cells["also delivered as"]])
    kind = example.cells["kind"]
    made = tokeniser.names(column) if kind == "name" else tokeniser.assets(column, kind)  # type: ignore[arg-type]
    assert (made[0] == made[1]) == (example.cells["same"] == "yes")


@pytest.mark.parametrize("kind", get_args(AssetKind))
@given(values=st.lists(st.text("0123456789ABC鲁", min_size=1, max_size=40), min_size=1, max_size=20, unique=True))
def test_different_things_have_different_tokens(kind: AssetKind, values: list[str]) -> None:
    made = Tokeniser(RING, 1).assets(pa.array(values), kind)
    assert len(set(made.to_pylist())) == len(values)


def test_digits_and_text_of_equal_bytes_do_not_meet() -> None:
    values = ["1", "01", "10", "001", "0" * 28, "0" * 27, "0" * 14, "", "10A", "A" * 14, "A" * 15]
    made = Tokeniser(RING, 1).assets(pa.array(values), "account").to_pylist()
    assert made[values.index("")] is None
    assert len(set(made)) == len(values)


@pytest.mark.parametrize("cipher", CIPHERS)
@given(column=st.lists(st.one_of(st.none(), numbers), max_size=10), epochs=st.permutations([1, 2, 7]))
def test_r19_rotation_keeps_every_join(cipher: CipherName, column: list[str | None], epochs: list[int]) -> None:
    old, new = Tokeniser(RING, epochs[0], cipher), Tokeniser(RING, epochs[1], cipher)
    carried = new.retoken(old.persons(pa.array(column, pa.string())).values, epochs[0])
    assert carried.equals(new.persons(pa.array(column, pa.string())).values)


def test_r19_rotation_needs_no_values_even_where_tokens_are_hashed() -> None:
    old, new = Tokeniser(RING, 1), Tokeniser(RING, 2)
    column = pa.array(["6222021234567890123", None, "P20200001", "X" * 60])
    for kind in get_args(AssetKind):
        assert new.retoken(old.assets(column, kind), 1, kind).equals(new.assets(column, kind))
    names = pa.array(["张三", None, "买买提·吐尔逊"])
    assert new.retoken(old.names(names), 1, "name").equals(new.names(names))


def test_r19_tokens_of_another_epoch_are_refused_on_the_way_back() -> None:
    made = Tokeniser(RING, 1).persons(pa.array([PERSON, None, "680102199001010012"])).values
    with pytest.raises(TokenUnreadableError) as caught:
        Tokeniser(RING, 2).reidentify(made)
    assert caught.value.fields() == {"count": 2, "epoch": 2}


def test_slices_and_chunks_of_tokens() -> None:
    tokeniser = Tokeniser(RING, 1)
    made = tokeniser.persons(pa.array([PERSON, None, "680102199001010012"])).values
    assert tokeniser.reidentify(made.slice(1)).to_pylist() == [None, "680102199001010012"]
    assert tokeniser.reidentify(pa.chunked_array([made, made.slice(2)])).to_pylist()[3] == "680102199001010012"
    assert tokeniser.reidentify(made.slice(3)).to_pylist() == []
    assert tokeniser.retoken(made.slice(2), 1).equals(made.slice(2))


@pytest.mark.parametrize("column", [[], [None], [None, ""]])
def test_columns_of_nothing(column: list[str | None]) -> None:
    tokeniser, values = Tokeniser(RING, 1), pa.array(column, pa.string())
    for made in (tokeniser.persons(values).values, tokeniser.assets(values, "plate"), tokeniser.names(values)):
        assert made.type == pa.uuid()
        assert made.null_count == len(column)


def test_duckdb_reads_tokens_as_uuid() -> None:
    table = pa.table({"person": Tokeniser(RING, 1).persons(pa.array([PERSON, None])).values})
    con = duckdb.connect()
    con.register("t", table)
    assert con.sql("SELECT typeof(person), person FROM t").fetchall()[0] == ("UUID", tokens([PERSON])[0])


def test_a_birth_after_the_batch_has_no_token() -> None:
    column = pa.array(["680102200002290031"])
    assert Tokeniser(RING, 1, on=date(2000, 2, 28)).persons(column).reasons.tolist() == [IdProblem.bad_date]
    assert Tokeniser(RING, 1, on=date(2000, 2, 29)).persons(column).reasons.tolist() == [IdProblem.ok]


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownTokenKindError):
        Tokeniser(RING, 1).assets(pa.array(["1"]), "phone")  # type: ignore[arg-type]


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=10))
def test_sealed_fields_open_and_equal_values_look_equal(column: list[str | None]) -> None:
    key, values = RING.seal_key("display"), pa.array(column, pa.string())
    sealed = seal(key, values, b"banks/deposits/name")
    assert unseal(key, sealed, b"banks/deposits/name").equals(values)
    assert sealed.equals(seal(key, values, b"banks/deposits/name"))
    assert sealed.null_count == values.null_count


def test_sealed_fields_open_only_where_they_belong() -> None:
    key = RING.seal_key("display")
    sealed = seal(key, pa.array(["张三"]), b"a")
    changed = pa.array([sealed[0].as_py()[:-1] + b"\x00"])
    for column, with_key, context in (
        (sealed, key, b"b"),
        (sealed, RING.seal_key("store"), b"a"),
        (changed, key, b"a"),
        (pa.array([b"short"]), key, b"a"),
    ):
        with pytest.raises(SealBrokenError) as caught:
            unseal(with_key, column, context)
        assert "张三" not in str(caught.value)
