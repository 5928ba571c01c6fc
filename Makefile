# Everything a person types. `make demo` and `make test` set up what they need.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-engines engines coverage lint package docs bench attacks fuzz findings clean

# SOCKET=/tmp/second.sock is for a second demo beside another one.
demo: $(VENV)/.installed ## run the proxy with an embedded engine: no Docker needed; make demo PORT=9000 where 8888 is taken
	@$(BIN)/dockerproxy demo $(if $(PORT),--listen :$(PORT)) $(if $(SOCKET),--socket $(SOCKET))

# Hundreds of processes are started: none has to compile what another one has compiled.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.tested ## run all tests; those against a Docker engine are skipped where there is none
	$(BIN)/python -m pytest -n 3 --dist loadgroup

# ENGINES="podman-trixie docker-sid" are others, of any Debian suite; SMOKE=1 is a part of the tests.
test-engines: $(VENV)/.tested ## run the tests against an engine on this machine's own, a newer Docker, and Podman
	$(BIN)/python -m tests.engine $(if $(SMOKE),--smoke) $(ENGINES)

engines: $(VENV)/.tested ## ask engines what they say of containers: docs/engines.json, and the page made of it
	$(BIN)/python -m tests.engine.record $(ENGINES)
	$(BIN)/python -m docs.generate

# Without those that go over the same lines thousands of times, or ask a proxy in a process of its own.
coverage: $(VENV)/.tested ## how much of the package the tests go through, by branches; fails below 90 %
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not repeating" --cov --cov-report=term:skip-covered

lint: $(VENV)/.tested ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

package: $(VENV)/.tested ## build wheel and source package into dist/, and check them
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python .ci/check_packages.py dist

docs: $(VENV)/.installed ## write the pages in docs/ that are generated from the code
	$(BIN)/python -m docs.generate

bench: $(VENV)/.tested ## measure against nginx, haproxy and caddy, where they are installed
	$(BIN)/python -m bench

attacks: $(VENV)/.tested ## attack a proxy of its own over loopback, and tell what everybody got
	$(BIN)/python -m bench.attacks

fuzz: $(VENV)/.tested ## ten minutes of fuzzing heads, framing and labels
	$(BIN)/python -m tests.fuzz --seconds 600

findings: ## look anew at what surprised us in other people's software; needs the package registry, and minutes
	@bash findings/all.sh

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dockerproxy needs Python 3.11 or newer; name one: make PYTHON=python3.12 demo")'
	@echo "Making a virtual environment in $(VENV): a minute or two, this once."
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint,package]'
	touch $@

clean: ## forget everything that was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage* htmlcov
