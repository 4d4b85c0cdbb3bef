.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin

.venv/installed: requirements/uv.txt requirements/run.txt requirements/test.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install -q --system-certs --compile-bytecode -p $(BIN)/python --require-hashes -r requirements/test.txt || \
	  { echo "uv could not install; pip goes on, with its own settings of index and certificate"; \
	    $(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/test.txt; }
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q connectors pipelines expectations
	@touch $@

install: .venv/installed ## Install what Hedui needs into .venv (hash-pinned)

lock: ## Pin requirements/*.in again, with hashes and without addresses
	@for f in uv run test image; do $(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/$$f.in -o requirements/$$f.txt; done

demo: install ## A made-up county of 2,000 households in ./demo, verified and delivered, with a summary
	@$(BIN)/hedui demo demo

airflow: install ## A local Airflow in ./airflow with a made-up county, users of each role and the address; Ctrl-C ends it
	@$(BIN)/hedui airflow up airflow

browser: ## Chromium and a Chinese font for the browser tests (Debian's packages), where you may install them
	@sh tests/airflow/get_browser.sh

test: install browser ## All tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile

soak: install ## A million random households: the second reading of the rules against sql/, until the first difference
	@$(BIN)/python -m tests.reference.soak

bench: install ## Time and memory of 10,000 and 100,000 households; a table and build/bench.json
	@$(BIN)/python -m tests.bench.run

mutants: install ## How many of the mutants of sql/ and of the policy code the tests notice; long, goes on where it stopped
	@$(BIN)/python -m tests.mutation.run

lint: install ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy connectors pipelines expectations

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: install lock demo airflow browser test soak bench mutants lint help
