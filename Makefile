.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin

.venv/installed: requirements/uv.txt requirements/run.txt requirements/test.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install -q -p $(BIN)/python --require-hashes -r requirements/test.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: .venv/installed ## Install what Hedui needs into .venv (hash-pinned)

lock: ## Pin requirements/*.in again, with hashes and without addresses
	@for f in uv run test; do $(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/$$f.in -o requirements/$$f.txt; done

lint: install ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy connectors pipelines expectations

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: install lock lint help
