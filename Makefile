# Everything that is done with this tree. `make` alone lists it.
#
# Needs Python 3.11 or later with pip and venv, and make. The rest is installed into .venv.
# Other Python: make PYTHON=python3.13 ...   Arguments: make drill ARGS=--blackout

PYTHON ?= python3
ARGS ?=

# Most tests wait a good part of their time: half as many more at once than there are cores.
WAITING := $(shell expr $$(nproc 2>/dev/null || echo 2) \* 3 / 2)

BIN := .venv/bin
STAMP := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --no-input
# An environment of its own: what checkov needs and what we need can't be installed together.
CHECKOV := .venv-checkov

# Where it is set every process would compile this program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: drill
drill: setup ## Run the region-outage drill on a local lab; prints where the report is
	@$(BIN)/drill run region-outage $(ARGS)

.PHONY: test
test: setup browser ## Run the tests (ARGS: more arguments for pytest, such as -n0 for one after the other)
ifneq ($(strip $(ARGS)),)
	@$(BIN)/pytest -n auto --dist worksteal --ignore tests/truth $(ARGS)
else
	@$(BIN)/pytest -n $(WAITING) --dist worksteal --ignore tests/e2e --ignore tests/browser --ignore tests/truth
	@$(BIN)/pytest -n auto --dist worksteal tests/e2e tests/browser # drills measure: no more at once than cores
	@$(BIN)/pytest -n0 tests/truth # alone: what it measures needs the machine
endif

.PHONY: crash
crash: setup ## Kill drills at every point of theirs, and see that all is put back (hours; DRILL_POINTS=4: half an hour)
	@DRILL_EVERY_POINT=1 $(BIN)/pytest tests/e2e/test_crash.py -s $(ARGS)

.PHONY: ways
ways: setup ## Run the drills whose ways are in no other test, on labs of other systems (some minutes)
	@DRILL_EVERY_WAY=1 $(BIN)/pytest tests/e2e/test_ways.py -n0 $(ARGS)

.PHONY: faults
faults: setup ## Fail three in ten of AWS's calls in drills, and see that all is put back (about half an hour)
	@DRILL_EVERY_SEED=1 $(BIN)/pytest tests/e2e/test_api_faults.py -s $(ARGS)

.PHONY: bench
bench: setup .venv-bench/.installed ## Measure beside other tools, and write docs/benchmarks.md (ARGS: only these)
	@PYTHONPATH=tools $(BIN)/python -m bench $(ARGS)

.PHONY: conformance
conformance: setup ## Cut each injection short before each of its writes on a lab, and see that all is put back
	@DRILL_CONFORMANCE=1 $(BIN)/pytest tests/test_conformance.py tests/e2e/test_conformance.py tests/e2e/test_prevented.py $(ARGS)

.PHONY: scale
scale: setup ## Measure and render a drill of a million observations; prints seconds, memory and sizes
	@$(BIN)/python tools/million.py $(ARGS)

.PHONY: truth
truth: setup ## Judge what 216 random drills measured by what the lab knows (some minutes; ARGS="--seed 7" for one)
	@$(BIN)/python -m tests.truth $(ARGS)

.PHONY: defects
defects: setup ## Plant each failure in a deployed system: the audit finds it, a drill shows it; writes docs/defects.md
	@DRILL_EVERY_DEFECT=1 $(BIN)/pytest tests/e2e/test_audit_defects.py tests/e2e/test_rotation.py tests/e2e/test_seed_system.py tests/drill/audit/test_scale.py -s -n0 -p no:randomly $(ARGS)

.PHONY: bench-review
bench-review: setup ## Time the review's list and trend over 1,000 runs
	@$(BIN)/python tools/bench_review.py $(ARGS)

.PHONY: check
check: test lint types contracts security wheel ## Do all that CI does

.PHONY: lint
lint: setup ## Look for style and spelling mistakes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell

.PHONY: types
types: setup ## Check the types
	@$(BIN)/mypy

.PHONY: contracts
contracts: setup ## Check which room imports which
	@$(BIN)/lint-imports --no-logo

.PHONY: security
security: $(CHECKOV)/.installed ## Look for security mistakes in the templates
	@$(CHECKOV)/bin/checkov --framework cloudformation secrets -d infra/stacks --quiet --compact --skip-download

.PHONY: wheel
wheel: setup ## Build the wheel and run a drill from it in an empty environment
	@$(BIN)/python tools/check_wheel.py

.PHONY: format
format: setup ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .

.PHONY: browser
browser: ## Install Chromium for the browser tests (as root on Debian; else skip them)
	@bash tools/install-browser

.PHONY: lock
lock: setup ## Choose the newest allowed versions and write the locks
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		-q -o constraints.txt
	@echo 'chaostoolkit>=1.19 locust>=2.30' | tr ' ' '\n' | $(BIN)/uv pip compile - --universal \
		--python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header -q -o tools/bench/peers.txt
	@echo 'chaostoolkit>=1.19 chaostoolkit-aws>=0.35 chaostoolkit-reporting>=0.18' | tr ' ' '\n' | \
		$(BIN)/uv pip compile - --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header -q -o tools/bench/plugins.txt
	@echo 'checkov>=3.3' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
		--upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		-q -o tools/checkov.txt

.PHONY: clean
clean: ## Remove the environment and all caches (runs are kept)
	@rm -rf .venv .venv-bench $(CHECKOV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist

.PHONY: setup
setup: $(STAMP) ## Install everything into .venv

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) must be Python 3.11 or later; name another one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) has no venv; on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	@echo "Installing into .venv (about a minute, once) ..."
	@rm -f $@
	@$(PYTHON) -m venv .venv
	@$(PIP) --only-binary :all: --require-hashes -r constraints.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(CHECKOV)/.installed: tools/checkov.txt
	@echo "Installing checkov into $(CHECKOV) (about half a minute, once) ..."
	@rm -f $@
	@$(PYTHON) -m venv $(CHECKOV)
	@$(CHECKOV)/bin/python -m pip --disable-pip-version-check install -qq --no-input \
		--only-binary :all: --require-hashes -r tools/checkov.txt
	@touch $@

# The tools that `make bench` measures beside this one; each set needs versions that the other can't have.
.venv-bench/.installed: tools/bench/peers.txt tools/bench/plugins.txt
	@echo "Installing the tools to be compared with into .venv-bench (about a minute, once) ..."
	@rm -f $@
	@for name in peers plugins; do \
		$(PYTHON) -m venv .venv-bench/$$name && \
		.venv-bench/$$name/bin/python -m pip --disable-pip-version-check install -qq --no-input \
			--require-hashes -r tools/bench/$$name.txt || exit 1; \
	done
	@touch $@
