"""Read by every process of Airflow at its start, if this folder is on its path (PYTHONPATH).

A task is a fork of the process that starts tasks. What that process has imported, none of them has to: staff who wait
for one household wait for five tasks in a row, and half of each was imports.
"""

import sys

if len(sys.argv) > 1 and sys.argv[1] in ("scheduler", "celery"):
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
