# Two commands do everything: `make run` and `make test`. Both make the environment first, once.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help run test lint ui bench faults audit clean env

help:
	@echo "make run    environment, then the whole pipeline (data/raw, or the demonstration)"
	@echo "make test   environment, then every test"
	@echo "make lint   ruff, pyright, import layers"
	@echo "make ui     the assets in Dagster's web page, http://127.0.0.1:3000"
	@echo "make bench  measure everything docs/performance.md speaks of; writes benchmarks/RESULTS.md"
	@echo "make faults kills, full disks, odd files and more against the refresh; writes docs/faults.md"
	@echo "make audit  are the locked packages free of known faults?"
	@echo "make clean  remove the environment and everything built"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is %s. Say which with: make run PYTHON=python3.12" % sys.version.split()[0])'
	@echo "Making the environment in $(VENV) (once, about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14"
	@$(BIN)/uv pip install --quiet --require-hashes --compile-bytecode --python $(BIN)/python -r requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python --config-setting editable_mode=compat --editable .
	@$(BIN)/python -m compileall -q pipeline && $(BIN)/python -m pipeline.compiled
	@touch $(READY)
	@echo "Environment ready."

env: $(READY)

run: $(READY)
	@$(BIN)/fivepercent refresh

test: $(READY)
	@echo "Running every test; tests of real files and of the browser skip with a reason where those are missing."
	@FIVEPERCENT_OFFLINE=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

ui: $(READY)
	@$(BIN)/fivepercent ui

bench: $(READY)
	@$(BIN)/python -m compileall -q pipeline benchmarks && $(BIN)/python -m pipeline.compiled
	@FIVEPERCENT_OFFLINE=1 $(BIN)/python -m benchmarks

faults: $(READY)
	@FIVEPERCENT_OFFLINE=1 $(BIN)/python tests/faults/run_all.py $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

audit: $(READY)
	@.ci/audit

clean:
	rm -rf $(VENV) data/marts/builds data/marts/current data/marts/.work data/marts/.demonstration \
		data/marts/fivepercent.duckdb data/marts/parquet data/marts/charts .pytest_cache .ruff_cache
