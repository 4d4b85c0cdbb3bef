"""Pools of Airflow: how many datasets of a department are asked at the same time, over all runs together."""

from __future__ import annotations

from pipelines.settings import Workspace


def pools(ws: Workspace) -> dict[str, dict[str, object]]:
    """Every pool that the DAGs of this site use, as ``airflow pools import`` reads them."""
    names = sorted({dataset.split("/")[0] for dataset in ws.settings.sources})
    return {
        f"hedui_{name}": {
            "slots": ws.settings.department(name).at_once,
            "description": f"{name}: 同时查询的数据集上限 · datasets asked at the same time",
            "include_deferred": False,
        }
        for name in names
    }
