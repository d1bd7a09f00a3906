# Kiezbrücke's front door. Nothing is needed but Python >= 3.11, pip and make; everything goes into .venv and var/.

.DEFAULT_GOAL := help
.PHONY: help demo year kill crash restore up pictures test lint types generate audit sbom bench clean
MAKEFLAGS += --no-print-directory
unexport PYTHONPATH PYTHONHOME PYTHONWARNINGS

BIN := .venv/bin
INSTALLED := .venv/installed
# in the order of tests/conftest.py, which begins with the longest files
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

help: ## what there is
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: $(INSTALLED) ## the main job on this machine, with a table at the end (again: sends nothing twice)
	@$(BIN)/python -m demo

up: $(INSTALLED) ## Airflow with its web interface and all sandboxes, until Ctrl-C
	@$(BIN)/python -m demo.up

pictures: $(INSTALLED) ## the pictures of the desk in docs/pictures, with the demonstration's data; needs Chromium
	@$(BIN)/python -m tools.pictures

year: $(INSTALLED) ## a year of twenty Kiezkassen against books that are kept without the software
	@$(BIN)/python -m demo.year

kill: $(INSTALLED) ## kill -9 a demonstration three times, on a copy, and let the next one carry on
	@$(BIN)/python tools/kill_demo.py

restore: $(INSTALLED) ## yesterday's ledger is put back under load, on both databases: nothing may stand twice
	$(BIN)/python -m pytest -q tests/recovery

test: lint types ## everything that CI checks, without the demonstration
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check
	$(BIN)/python tools/provider.py --check
	$(BIN)/python -m tools.audit
	$(BIN)/kiezbruecke mapping check
	$(BIN)/kiezbruecke mapping test
	$(BIN)/python -m pytest $(PARALLEL) -q

crash: $(INSTALLED) ## whole what `test` tries a sample of: kill -9 at every crash point, every command on every odd machine
	KIEZBRUECKE_SAMPLE=all $(BIN)/python -m pytest $(PARALLEL) -q tests/cli/test_any_machine.py \
	    tests/crash $(wildcard tests/*/test_*crash.py)

lint: $(INSTALLED) ## style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED) ## mypy, strict
	$(BIN)/mypy

generate: $(INSTALLED) ## write the generated files again: canonical schemas, connection forms
	$(BIN)/python tools/generate.py
	$(BIN)/python tools/provider.py

audit: $(INSTALLED) ## licences of all locked packages; advisories too, where you bring them: ADVISORIES=all.zip of osv.dev
	@$(BIN)/python -m tools.audit $(if $(ADVISORIES),--advisories "$(ADVISORIES)")

sbom: $(INSTALLED) ## the bill of materials of a release (CycloneDX), from the lock: dist/sbom.cdx.json
	@$(BIN)/python -m tools.sbom

bench: $(INSTALLED) ## our ways beside the others, CPU and wall (QUICK=1: a first look, LONG=1: 100,000 cases, a million messages)
	@QUICK=$(QUICK) LONG=$(LONG) $(BIN)/python -m benchmarks

clean: ## end what was left running, remove .venv, var and everything built
	@if $(BIN)/python -c 'import kiezbruecke, psutil' 2>/dev/null; then $(BIN)/python -m demo.processes; fi
	rm -rf .venv var dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis htmlcov .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The newest Python that works; a name found on PATH may be an empty shim, so each is tried.
$(INSTALLED): requirements.lock tools/pip.lock pyproject.toml tools/install.sh
	@set -e; for name in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11 python3 python; do \
	    if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1; then \
	        tools/install.sh "$$name"; touch $@; exit 0; \
	    fi; \
	done; \
	echo "make: no Python 3.11 or newer (below 3.15) found; install one, or say where: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1
