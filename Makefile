# Every command that the README names. `make` alone lists them.
#
# A machine needs make and Python 3.11 or later, nothing else: the rest comes from the hashed lock files into .venv.
# Another interpreter: make demo PYTHON=/path/to/python3.12

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Where it is set, as in many containers, every process compiles every module again: a second of a core for each.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check --no-input
SAY := @printf '%s\n' >&2
# Three processes for two cores, as many tests wait; each test file whole in one of them: many files share servers among
# their tests. In their own order, the acceptance tests first: they wait most, and would otherwise come last, with nothing
# left to run beside them.
JOBS ?= $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 ))

# Installing. The stamps make a second run skip it; a changed lock or pyproject.toml repeats what it must. ------------

IS_FIT := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

# Asks every candidate to start: a version manager's stand-in for a version that is not installed does not count.
$(VENV)/.made:
	@set -f; found='$(PYTHON)'; old_ifs="$$IFS"; IFS=:; \
	for name in python3.13 python3.12 python3.11 python3; do for folder in $$PATH; do \
	  [ -z "$$found" ] && "$$folder/$$name" -c '$(IS_FIT)' >/dev/null 2>&1 && found="$$folder/$$name"; \
	done; done; IFS="$$old_ifs"; \
	if [ -z "$$found" ] || ! "$$found" -c '$(IS_FIT)'; then \
	  echo "make: no Python 3.11 or later that can make a virtual environment$${found:+ ($$found is not one)}." >&2; \
	  echo "      Install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	"$$found" -m venv --clear $(VENV) && touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock requirements-build.lock pyproject.toml
	$(SAY) "Installing what Tocsin runs on into $(VENV), from requirements.lock (once, about a minute) ..."
	@$(PIP) install --require-hashes -r requirements-build.lock && \
	 $(PIP) install --require-hashes -r requirements.lock && \
	 $(PIP) install --no-deps --no-build-isolation --editable . || { \
	  echo "make: installing failed, the reason is above. It needs a Python package index; then say make again." >&2; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(SAY) "Installing what its tests and checks need, from requirements-dev.lock (once, about a minute) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock || { \
	  echo "make: installing failed, the reason is above. It needs a Python package index; then say make again." >&2; exit 1; }
	@touch $@

$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	@$(PIP) install --require-hashes -r requirements-bench.lock || { \
	  echo "make: installing failed, the reason is above. It needs a Python package index; then say make again." >&2; exit 1; }
	@touch $@

# Using it ------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.runtime ## a whole newsroom on this machine, until Ctrl-C (ONCE=1: send once and stop; FRESH=1; JSON=1)
	@$(VENV)/bin/tocsin demo $(if $(ONCE),--once) $(if $(FRESH),--fresh) $(if $(JSON),--json)

.PHONY: install
install: $(VENV)/.runtime ## only install: the command is then .venv/bin/tocsin
	@$(VENV)/bin/tocsin --version && echo "is installed: $(VENV)/bin/tocsin --help"

# Working on it -------------------------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.dev ## all tests (ARGS='-k alert' passes words on to pytest; CI=1: a skipped test fails)
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(if $(CI),-p tests.no_skips) $(ARGS)

.PHONY: test-slow
test-slow: $(VENV)/.dev ## only the slow ones, and properties at length, ten minutes: systems killed in mid-send, a day compressed, every page in Chromium (CI runs them)
	@$(PY) -m pytest -m "slow or thorough" --hypothesis-profile thorough -n $(JOBS) --dist loadfile --no-loadscope-reorder $(if $(CI),-p tests.no_skips) $(ARGS)

.PHONY: drill
drill: $(VENV)/.dev ## only the long drills, half an hour: kill -9, full disks, broken relays, clocks that step, in mid-send
	@$(PY) -m pytest -m drill $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## mutants and bombs for the parsers of what sources serve, five minutes (FUZZ_S=60; failing ones are kept in .fuzz)
	@FUZZ_S=$(FUZZ_S) FUZZ_SEED=$(FUZZ_SEED) $(PY) -m pytest -q -s -m drill tests/contract/sources/test_feed_fuzz.py $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## ruff, formatting, mypy --strict, and who may import whom
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-logo

.PHONY: format
format: $(VENV)/.dev ## let ruff repair and format what it can
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

.PHONY: bench
bench: $(VENV)/.bench ## run tests/bench/bench_*.py: each writes its section of docs/benchmarks.md
	@ran=; for file in tests/bench/bench_*.py; do [ -e "$$file" ] || continue; ran=1; echo "== $$file"; $(PY) -m "tests.bench.$$(basename "$$file" .py)" $(ARGS) || exit 1; done; \
	[ -n "$$ran" ] || echo "Nothing was measured: tests/bench holds no benchmark yet (bench_*.py)."

.PHONY: bench-matching
bench-matching: $(VENV)/.bench ## our engine beside Lucene Monitor (20 minutes, needs a JDK; ARGS='--sizes 10000', ARGS=--no-peer)
	@$(PY) -m tests.bench.matching $(ARGS)

.PHONY: bench-delivery
bench-delivery: $(VENV)/.bench ## our whole path beside other senders (12 minutes, needs postfix and npm; ARGS=--full: 1,000,000 readers)
	@$(PY) -m tests.bench.delivery $(ARGS)

.PHONY: bench-signup
bench-signup: $(VENV)/.dev ## sign-ups a second beside a bare FastAPI endpoint (6 minutes, needs wrk; ARGS=--times: by standing)
	@$(PY) -m tests.bench.bench_signup $(ARGS)

.PHONY: bench-intake
bench-intake: $(VENV)/.bench ## 200 feeds beside feedparser and rss2email, and 10,000 sources once around (15 minutes; ARGS='--rounds 1 --no-peer')
	@$(PY) -m tests.bench.bench_intake $(ARGS)

.PHONY: bench-planning
bench-planning: $(VENV)/.bench ## digests for a whole crowd due in one minute (20 minutes; ARGS='--sizes 100000 --rounds 1': one)
	@$(PY) -m tests.bench.planning $(ARGS)

.PHONY: docs
docs: $(VENV)/.dev ## write docs/cli.md, settings.md and theme-names.md anew, from the program itself
	@$(PY) docs/reference.py

LOCK := $(PY) -m uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: $(VENV)/.dev ## resolve pyproject.toml into the lock files (UPGRADE=1: to the newest versions)
	@$(LOCK) pyproject.toml --output-file requirements.lock
	@$(LOCK) --group build --constraint requirements.lock --output-file requirements-build.lock
	@$(LOCK) pyproject.toml --group dev --constraint requirements.lock --constraint requirements-build.lock \
	  --output-file requirements-dev.lock
	@$(LOCK) --group bench --constraint requirements-dev.lock --output-file requirements-bench.lock

.PHONY: clean
clean: ## remove .venv and every cache; the demo's home stays
	@rm -rf $(VENV) .bench .fuzz build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:
	@echo "make <target>:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done
