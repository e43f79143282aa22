# Two commands: `make run` starts Wakil, `make test` proves it. Both set up what they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --use-pep517
ARGS   ?=

.PHONY: run test check panel bench clean
.DELETE_ON_ERROR:

run: $(VENV)/.run panel
	@exec $(BIN)/wakil run $(ARGS)

test: $(VENV)/.test panel
	@PYTHON=$(PYTHON) deploy/prerequisites test
	@$(MAKE) --no-print-directory check
	@echo "== Tests"
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.test
	@echo "== Lint, types, imports"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

panel: $(VENV)/.run
	@$(BIN)/python -m webui.build

bench: $(VENV)/.test
	@$(BIN)/python benchmarks/rules.py $(ARGS)

$(VENV)/bin/python:
	@PYTHON=$(PYTHON) deploy/prerequisites run
	@echo "== Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "== Installing pinned requirements"
	@$(PIP) --require-hashes -r requirements/run.txt
	@WAKIL_SKIP_PANEL=1 $(PIP) --no-deps -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo "== Installing what the tests need"
	@$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist .build webui/panel/node_modules *.egg-info
	find webui/static -mindepth 1 ! -name .gitkeep -delete
