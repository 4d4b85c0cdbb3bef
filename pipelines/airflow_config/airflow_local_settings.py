"""Read by every process of Airflow at its start, if this folder is on its path (PYTHONPATH).

A task is a fork of the process that starts tasks. What that process has imported, none of them has to: staff who wait
for one household wait for five tasks in a row, and half of each was imports.

It also says which task comes first where tasks wait for each other (docs/decisions/0038-what-is-urgent-comes-first.md).
"""

from __future__ import annotations

import sys
from typing import Any

URGENT = 1000  # more than any task has by what follows it in its run


def task_instance_mutation_hook(task_instance: Any, dag_run: Any) -> None:
    """A task of a run that somebody called urgent comes before every task of a run that nobody did.

    Airflow asks again of tasks that it knows already, and sometimes without the run: then they stay as they are.
    """
    weight = task_instance.priority_weight or 0
    if dag_run is not None and (dag_run.conf or {}).get("priority") == "urgent" and weight < URGENT:
        task_instance.priority_weight = weight + URGENT


COMPONENT = sys.argv[1] if len(sys.argv) > 1 else ""

if COMPONENT == "api-server":
    # What the console's first page would otherwise wait for. Not the console itself: it needs an Airflow that is ready.
    import duckdb
    import pyarrow as pa
    import pyarrow.compute
    import pyarrow.parquet

    import pipelines.objections
    import pipelines.policy
    import pipelines.render
    import pipelines.replay
    import pipelines.store
    import pipelines.verify
    import pipelines.warehouse

if COMPONENT in ("scheduler", "celery"):
    import duckdb  # noqa: F401
    import numpy as np  # noqa: F401
    import pyarrow as pa  # noqa: F401
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    import pipelines.assess
    import pipelines.check
    import pipelines.collect
    import pipelines.deliver
    import pipelines.intake
    import pipelines.plan
    import pipelines.report
    import pipelines.scheduled.steps
    import pipelines.verify  # noqa: F401
