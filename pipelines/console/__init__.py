"""The staff console 核对中心: a plugin in Airflow's own web server."""
