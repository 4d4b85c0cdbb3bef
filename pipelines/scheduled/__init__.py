"""What the DAGs call: the form that starts a run, the steps of a run, what waits and what tells of failures."""
