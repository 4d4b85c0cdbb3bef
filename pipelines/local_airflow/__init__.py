"""A local Airflow with the made-up county: PostgreSQL, api-server, scheduler, dag-processor, triggerer, and their end.

For looking, for tests and for development. A site runs Airflow its own way: docker/, docs/operations.md.
"""
