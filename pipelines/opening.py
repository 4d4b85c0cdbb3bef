"""The sealed display fields of a batch, opened for its reports and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.batch import Batch
from pipelines.keys import KeyRing
from pipelines.sealing import unseal

# What was bound to a field when it was sealed: a request's document by the intake, the members' by the plan, the
# others' by admission.
DOCUMENTS_KEY, DOCUMENTS = "case-store", b"request"
MEMBERS = b"members.display"
ASSETS = {
    "dwelling": b"natural_resources/real_estate_title/address",
    "premises": b"natural_resources/real_estate_title/address",
    "machinery": b"agriculture/machinery/machine_plate",
    "vessel": b"transport/vessels/vessel_name",
    "vehicle": b"public_security/vehicle_registration/plate_shown",
    "business": b"market_regulation/business_registration/business_name",
}


@dataclass(frozen=True)
class SealedFields:
    """Opens what a report shows; ``documents.Opener``.

    Attributes:
        key: the batch's key of sealed fields (64 bytes).
    """

    key: bytes

    @classmethod
    def of(cls, ring: KeyRing, batch: Batch) -> SealedFields:
        """The key of the batch that holds the admitted extracts."""
        return cls(ring.seal_key("display", batch.source_folder))

    def members(self, sealed: pa.Array) -> pa.Array:
        """Sealed JSON of name and ID number → that JSON."""
        return unseal(self.key, sealed, MEMBERS)

    def assets(self, classes: pa.Array, sealed: pa.Array) -> pa.Array:
        """Class and sealed address or plate → the text, in the same order.

        Raises:
            SealBrokenError: a value does not open.
        """
        opened = pa.nulls(len(sealed), pa.string())
        for name, context in ASSETS.items():
            of_class = pc.equal(classes, name)
            opened = pc.replace_with_mask(opened, of_class, unseal(self.key, pc.filter(sealed, of_class), context))
        return opened
