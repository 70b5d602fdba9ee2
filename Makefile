# Everything a machine needs to do with this repository. A fresh one needs Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH_INSTALLED := $(VENV)/.bench-installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test check unit bench docs lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# uv installs in seconds what pip does in minutes; where it cannot reach an index, pip may.
# Compiled once here, or where PYTHONDONTWRITEBYTECODE is set, at the start of every process.
define install
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(1) || $(PIP) $(1)
endef

$(INSTALLED): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(PIP) uv
	$(call install,--requirement requirements.lock)
	$(call install,--no-deps --editable .)
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m haulier.cli warm  # compiles the kernels, once
	@touch $@

$(BENCH_INSTALLED): $(INSTALLED) requirements-bench.lock
	$(call install,--requirement requirements-bench.lock)
	@touch $@

demo: $(INSTALLED) ## a real road network matched through the server; see the map it names
	$(BIN)/python examples/roads_demo.py

test: check unit ## all that must hold: lint, types, import rules, docs, tests

check: $(INSTALLED) ## lint, types, import rules, freshness of generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check
	$(BIN)/python tools/tree.py --check

# Hypothesis draws the same examples here as in CI; `pytest` alone draws new ones each time.
unit: $(INSTALLED) ## every test
	$(PYTEST) --numprocesses 2 --dist loadfile --hypothesis-profile ci

bench: $(BENCH_INSTALLED) ## every benchmark; prints ratios against named peers
	$(BIN)/python benchmarks/roads.py
	$(BIN)/python benchmarks/api.py
	$(BIN)/python benchmarks/kriging.py
	$(BIN)/python benchmarks/kriging_job.py
	$(BIN)/python benchmarks/clouds.py

docs: $(INSTALLED) ## write the generated pages and the tree in ARCHITECTURE.md again
	$(BIN)/python tools/docs.py
	$(BIN)/python tools/tree.py

lock: ## resolve the dependencies again; needs uv
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
		--group dev pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
		--constraint requirements.lock --group bench pyproject.toml --output-file requirements-bench.lock

clean: ## remove what this file made
	rm -rf -- $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
