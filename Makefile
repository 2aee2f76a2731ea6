# Each target does all its own set-up: Python 3.11 or newer, make and a package registry are enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
# tests wait more than they compute; more at once would make time-outs of what they promise to be in time
JOBS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) '*' 3 / 2)
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test serve bench lint lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# The stamps are files, so set-up runs once, and again only when the locks change.
$(VENV)/.run: deploy/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with make PYTHON=…")'
	@echo "setting up $(VENV) (once, about half a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement deploy/requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: deploy/requirements-dev.lock $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement deploy/requirements-dev.lock
	@touch $@

demo: $(VENV)/.run ## simulated CRMs, a real gateway, an export and its feed (DEMO=--once: show it and exit)
	@$(BIN)/gateway demo $(DEMO)

test: lint ## every check: style, types, tests
	@$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadscope --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev ## style and types only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

serve: $(VENV)/.run ## the service, with ./gateway.toml or $$GATEWAY_CONFIG
	@$(BIN)/gateway serve

bench: $(VENV)/.dev ## the measurements of tests/bench (QUICK=1: under 2 minutes; CHECK=1: against the last; NAMES="feed growth")
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(CHECK),--check) $(NAMES)

lock: $(VENV)/.dev ## pin the dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header pyproject.toml deploy/build-requirements.txt --output-file deploy/requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --extra dev --extra otel pyproject.toml deploy/build-requirements.txt --output-file deploy/requirements-dev.lock

clean: ## remove what the targets made
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
