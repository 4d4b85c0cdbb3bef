"""Policy packs: rules as data, dated and cited (docs/policy-packs.md).

``load_pack`` reads and checks, ``resolve`` says what holds on a date and place, ``tables`` gives that to ``sql/``.
What nobody needs while a household is verified has modules of its own: ``check`` looks for what an officer should see
to, ``explain`` writes a page that a lawyer can read, ``diff`` says what another pack changes.
"""

from pipelines.policy.errors import PolicyDateError, PolicyEndedError, PolicyError, PolicyMissingError
from pipelines.policy.load import Pack, load_pack, pack_folder
from pipelines.policy.resolve import ResolvedPolicy, ResolvedTest, resolve
from pipelines.policy.settle import Settled
from pipelines.policy.tables import SCHEMAS, tables

__all__ = [
    "SCHEMAS",
    "Pack",
    "PolicyDateError",
    "PolicyEndedError",
    "PolicyError",
    "PolicyMissingError",
    "ResolvedPolicy",
    "ResolvedTest",
    "Settled",
    "load_pack",
    "pack_folder",
    "resolve",
    "tables",
]
