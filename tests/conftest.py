"""How the tests are spread over workers."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

ONE_AIRFLOW = "tests/airflow/"


class _Spread(LoadFileScheduling):
    """Each file on one worker, and all files that share the running Airflow on one as well."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_AIRFLOW if nodeid.startswith(ONE_AIRFLOW) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Take our spreading for ``--dist loadfile``."""
    return _Spread(config, log) if config.getoption("dist") == "loadfile" else None
