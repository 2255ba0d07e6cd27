PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for servers that they start, so that twice as many as processors run at once.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * os.cpu_count())')
# Compiled modules are kept: pytest collects the tests in half the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run install test test-browser slow sample chaos ci screenshots docs bench lint types layers requirements clean

help: ## Show what there is to run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.server ## Start Agnes on this machine: web server, task worker and a demo world on the first start
	@DEBUG=$${DEBUG:-true} exec $(BIN)/python manage.py start

install: $(VENV)/.server ## Make the virtual environment from the pinned requirements

test: $(VENV)/.dev ## Run the whole test suite on the embedded database
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-browser: $(VENV)/.dev ## Run the tests that drive a real browser (Debian's chromium)
	$(BIN)/pytest -m browser $(ARGS)

slow: $(VENV)/.dev ## Run the long tests: kill -9, memory, load
	$(BIN)/pytest -m slow $(ARGS)

sample: $(VENV)/.dev ## Run the short sample of the slow tests that CI takes
	$(BIN)/pytest -m sample $(ARGS)

chaos: $(VENV)/.dev ## Kill web server and worker at every stage: fifty random runs, an hour
	$(BIN)/pytest -m chaos agnes/tests/chaos $(ARGS)

ci: ## Run everything that CI runs: .ci/run
	.ci/run

screenshots: $(VENV)/.dev ## Take the pictures of the documentation anew (Debian's chromium)
	$(BIN)/python -m scripts.screenshots

docs: $(VENV)/.dev ## Write the pages of the documentation that are made from the code anew: settings, API
	$(BIN)/python -m scripts.configuration_page
	$(BIN)/python -m scripts.api_page

bench: $(VENV)/.dev ## Run the benchmarks of docs/benchmarks.md
	$(BIN)/python -m benchmarks

lint: $(VENV)/.dev ## Check style, formatting and missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python manage.py makemigrations --check --dry-run

types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

layers: $(VENV)/.dev ## Check that each app imports only what stands below it
	$(BIN)/lint-imports

requirements: ## Compile requirements*.txt anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra server --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.txt
	uv pip compile pyproject.toml --extra server --extra dev -c requirements.txt --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.txt

clean: ## Remove the virtual environment (never the data in var/)
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.server: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.server
