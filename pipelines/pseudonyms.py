"""Tokens: what the analysis knows of an identifier.

A token is one block of a block cipher (AES-256, or SM4 where a site must) under the key of its purpose and epoch.
The plaintext is one block as well: the identifier itself where it fits, packed by ``id_blocks`` or as text, else
its HMAC-SHA256 cut to 128 bits.

Single blocks in ECB mode are what is wanted here, not an oversight: each block is encrypted by itself, which makes
the cipher a keyed permutation of all 128-bit values. Equal identifiers get equal tokens, so that joins work;
different ones never do; without the key a token says nothing, and no list of all ID numbers helps; and whoever
holds the key can go back, at the edge, without a table. That equal values look equal is the purpose. Whatever is
not to be joined is sealed instead (``pipelines.sealing``).

The HMAC key does not change between epochs: a new epoch decrypts and encrypts the outer block only. So every token
can be carried over (R19) without the identifiers, whichever way it was made.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from pipelines.errors import HeduiError
from pipelines.id_blocks import U64, unpack, well_formed
from pipelines.id_tables import U8, IdKind
from pipelines.identifiers import classify, normalise
from pipelines.keys import KeyRing
from pipelines.names import normalise_names
from pipelines.sealing import seal, unseal

__all__ = ["AssetKind", "CipherName", "TokenUnreadableError", "Tokeniser", "Tokens", "seal", "unseal"]

CipherName = Literal["aes256", "sm4"]
AssetKind = Literal["account", "hukou", "plate", "policy", "unit", "vin"]
Purpose = Literal["person", "name", "account", "hukou", "plate", "policy", "unit", "vin"]
_FIT = frozenset({"account", "plate"})  # kinds whose values fit a block as they are, unless they are odd
_TEXT_BYTES, _DIGITS = 14, 28
_AS_TEXT, _AS_DIGITS = 1, 2
_SEPARATORS = r"[-‐‑‒–—·•‧・･.．]+"


@dataclass(eq=False)
class TokenUnreadableError(HeduiError):
    """Tokens that the key of the epoch does not turn back into identifiers."""

    count: int
    epoch: int

    zh = "{count} 个令牌不能用第 {epoch} 期密钥还原"
    en = "{count} tokens are not of key epoch {epoch}"
    todo = "use the epoch of the batch that the tokens come from"


@dataclass(eq=False)
class UnknownTokenKindError(HeduiError):
    """A contract names a kind of identifier that has no token."""

    kind: str

    zh = "没有这种标识的令牌：{kind}"
    en = "no tokens are made for identifiers of kind {kind}"
    todo = "use one of the kinds in docs/identifiers.md in the contract"
    exit_code = 2


@dataclass(frozen=True)
class Tokens:
    """Tokens of persons.

    Attributes:
        values: (n,) UUIDs, null where the identifier was refused.
        reasons: (n,) ``IdProblem``.
        unknown_area: (n,) R17, to be counted.
        kind: (n,) ``IdKind``.
    """

    values: pa.UuidArray
    reasons: U8
    unknown_area: npt.NDArray[np.bool_]
    kind: U8


class Tokeniser:
    """Makes the tokens of one key epoch.

    Args:
        keyring: the site's keys.
        epoch: key epoch of the batch.
        cipher: block cipher of the site.
        on: day after which nobody can have been born (the batch's as-of day).
    """

    def __init__(self, keyring: KeyRing, epoch: int, cipher: CipherName = "aes256", on: date | None = None) -> None:
        self.epoch = epoch
        self.cipher: CipherName = cipher
        self._keyring = keyring
        self._on = on

    def persons(self, column: pa.Array, kind: IdKind | None = None) -> Tokens:
        """Tokens of persons' identifiers; ``kind`` is given only for passports (see ``identifiers.classify``)."""
        read = classify(column, self._on, kind)
        return Tokens(self._tokens(read.blocks, read.ok, "person"), read.reason, read.unknown_area, read.kind)

    def assets(self, column: pa.Array, kind: AssetKind) -> pa.UuidArray:
        """Tokens of things: normalised like identifiers, and without hyphens and dots; null for null and empty.

        Raises:
            UnknownTokenKindError: ``kind`` is none of ``AssetKind``.
        """
        if kind not in get_args(AssetKind):
            raise UnknownTokenKindError(kind)
        text = pc.replace_substring_regex(normalise(column), _SEPARATORS, "")
        return self._coded(text, kind)

    def names(self, column: pa.Array) -> pa.UuidArray:
        """Tokens of names, equal where R15 says that the names are; null for null and empty."""
        return self._coded(normalise_names(column), "name")

    def reidentify(self, tokens: pa.UuidArray) -> pa.StringArray:
        """The identifiers of persons' tokens, check characters computed anew; nulls stay.

        Raises:
            TokenUnreadableError: some are not of this epoch; nothing is given back then.
        """
        valid = np.asarray(tokens.is_valid())
        blocks = self._crypt(_storage(tokens), "person", self.epoch, encrypt=False)
        strange = int((valid & ~well_formed(blocks)).sum())
        if strange:
            raise TokenUnreadableError(strange, self.epoch)
        return unpack(blocks, valid)

    def retoken(self, tokens: pa.UuidArray, old_epoch: int, purpose: Purpose = "person") -> pa.UuidArray:
        """Tokens of an older epoch as tokens of this one; identifiers are not needed (R19).

        Raises:
            TokenUnreadableError: some, of persons, are not of the older epoch; nothing is given back then.
        """
        blocks = self._crypt(_storage(tokens), purpose, old_epoch, encrypt=False)
        valid = np.asarray(tokens.is_valid())
        strange = int((valid & ~well_formed(blocks)).sum()) if purpose == "person" else 0
        if strange:
            raise TokenUnreadableError(strange, old_epoch)
        return self._tokens(blocks, valid, purpose)

    def _coded(self, text: pa.StringArray, purpose: Purpose) -> pa.UuidArray:
        """Each different value once, then back to the rows."""
        coded = pc.if_else(pc.equal(text, ""), None, text).dictionary_encode()
        values = coded.dictionary
        blocks = self._text_blocks(values, purpose)
        tokens = self._tokens(blocks, np.ones(len(values), np.bool_), purpose)
        return _uuids(tokens.storage.take(coded.indices))

    def _text_blocks(self, values: pa.StringArray, purpose: Purpose) -> U64:
        """(n, 2) plaintext blocks: the value itself where its kind allows it and it fits, else its HMAC."""
        key = self._keyring.key(f"token-inner/{purpose}")
        blocks = np.zeros((len(values), 16), np.uint8)
        left = np.ones(len(values), np.bool_)
        if purpose in _FIT:
            left = ~_fit(values, blocks)
        rows = np.flatnonzero(left)
        raw = values.take(pa.array(rows)).cast(pa.binary()).to_pylist()
        digests = b"".join(hmac.digest(key, value, "sha256")[:16] for value in raw)
        blocks[rows] = np.frombuffer(digests, np.uint8).reshape(len(rows), 16)
        return blocks.view("<u8")

    def _tokens(self, blocks: U64, valid: npt.NDArray[np.bool_], purpose: Purpose) -> pa.UuidArray:
        n = len(blocks)
        encrypted = self._crypt(blocks, purpose, self.epoch, encrypt=True)
        validity = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
        storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [validity, pa.py_buffer(encrypted)])
        return _uuids(storage)

    def _crypt(self, blocks: U64, purpose: Purpose, epoch: int, *, encrypt: bool) -> U64:
        """One cipher block for each row."""
        context = self._context(purpose, epoch, encrypt)
        size = blocks.nbytes
        out = np.empty(size + 15, np.uint8)  # the library wants room for a partial block that never comes
        context.update_into(np.ascontiguousarray(blocks).view(np.uint8).reshape(-1).data, out.data)
        return out[:size].view("<u8").reshape(-1, 2)

    def _context(self, purpose: Purpose, epoch: int, encrypt: bool) -> CipherContext:
        if self.cipher == "aes256":
            algorithm: algorithms.AES | algorithms.SM4 = algorithms.AES(self._keyring.token_key(purpose, epoch))
        else:
            algorithm = algorithms.SM4(self._keyring.token_key(purpose, epoch, 16))
        cipher = Cipher(algorithm, modes.ECB())  # noqa: S305 single blocks: see the module's text
        return cipher.encryptor() if encrypt else cipher.decryptor()


def _uuids(storage: pa.FixedSizeBinaryArray) -> pa.UuidArray:
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def _storage(tokens: pa.UuidArray) -> U64:
    """(n, 2) words of a token column; what lies under nulls does not matter."""
    if isinstance(tokens, pa.ChunkedArray):
        tokens = tokens.combine_chunks()
    if len(tokens) == 0:
        return np.zeros((0, 2), np.uint64)
    storage = tokens.storage
    data = np.frombuffer(storage.buffers()[1], np.uint8)
    return data[storage.offset * 16 : (storage.offset + len(storage)) * 16].view("<u8").reshape(-1, 2)


def _fit(values: pa.StringArray, blocks: U8) -> npt.NDArray[np.bool_]:
    """Write the values that fit into ``blocks``; returns which.

    Byte 15 says how (1 text, 2 digits), byte 14 how long; 14 bytes hold UTF-8, or 28 decimal digits, two a byte.
    """
    digits = np.asarray(pc.match_substring_regex(values, rf"^[0-9]{{1,{_DIGITS}}}$"))
    raw = values.cast(pa.binary())
    lengths = np.asarray(pc.binary_length(raw))
    text = ~digits & (lengths <= _TEXT_BYTES)
    for rows, width, form in ((text, _TEXT_BYTES, _AS_TEXT), (digits, _DIGITS, _AS_DIGITS)):
        index = np.flatnonzero(rows)
        size = lengths[index]
        characters = np.zeros((len(index), width), np.uint8)
        joined = b"".join(raw.take(pa.array(index)).to_pylist())
        characters[np.arange(width) < size[:, None]] = np.frombuffer(joined, np.uint8)
        if form == _AS_DIGITS:
            nibbles = characters & np.uint8(15)
            characters = (nibbles[:, 0::2] << np.uint8(4)) | nibbles[:, 1::2]
        blocks[index, :_TEXT_BYTES] = characters
        blocks[index, 14], blocks[index, 15] = size, form
    fitting: npt.NDArray[np.bool_] = text | digits
    return fitting
