"""Whether what arrived has the contract's columns and types; names and types are compared, values never shown."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from connectors.contract import Contract
from connectors.extract import ContractViolation

_ACCEPTED: list[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], bool]]] = [
    (
        pa.types.is_string,
        lambda t: pa.types.is_large_string(t) or pa.types.is_dictionary(t) or str(t) == "string_view",
    ),
    (pa.types.is_integer, pa.types.is_integer),
    (pa.types.is_decimal, lambda t: pa.types.is_decimal(t) or pa.types.is_integer(t)),
]


def check_columns(contract: Contract, found: list[str]) -> None:
    """Refuse columns that are missing, unknown or doubled; another order is no matter.

    Raises:
        ContractViolation: the first such column.
    """
    expected = contract.schema.names
    for name in expected:
        if name not in found:
            raise ContractViolation(contract.dataset, name, "present", "missing")
    for name in found:
        if name not in expected:
            raise ContractViolation(contract.dataset, name, "absent", "unknown column")
        if found.count(name) > 1:
            raise ContractViolation(contract.dataset, name, "once", f"{found.count(name)} times")


def _fits(found: pa.DataType, expected: pa.DataType) -> bool:
    if found == expected or pa.types.is_null(found):
        return True
    return any(is_expected(expected) and accepts(found) for is_expected, accepts in _ACCEPTED)


def check_types(contract: Contract, schema: pa.Schema) -> None:
    """Refuse columns whose type is not the contract's, before the first row is read.

    Text may be any Arrow string type and a whole number of any width; a float is never money.

    Raises:
        ContractViolation: the first such column, with both types.
    """
    check_columns(contract, schema.names)
    for field in contract.schema:
        found = schema.field(field.name).type
        if not _fits(found, field.type):
            raise ContractViolation(contract.dataset, field.name, str(field.type), str(found))


def conform(contract: Contract, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch in the contract's order and types.

    Raises:
        ContractViolation: a value does not fit the contract's type exactly (more than two decimals, too long).
    """
    schema = contract.schema
    if batch.schema.equals(schema):
        return batch
    arrays = []
    for field in schema:
        array = batch.column(field.name)
        try:
            arrays.append(array if array.type == field.type else array.cast(field.type))
        except pa.ArrowInvalid:
            found = f"{array.type} with values that do not fit"
            raise ContractViolation(contract.dataset, field.name, str(field.type), found) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
