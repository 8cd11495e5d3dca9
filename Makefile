# `make` alone lists what there is. Each target makes or mends .venv by itself, with the Python that PYTHON
# names, if it does: make test PYTHON=python3.13
.DEFAULT_GOAL := help
.PHONY: help sandbox test image-test chaos odd-servers scim-table drill bench lint format services lock notices translations \
	screens

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Arguments for the tests or the sandbox, e.g. make test ARGS="-k matching"
ARGS ?=
# Processes that run tests side by side: they wait for most of their time, so more of them than cores.
WORKERS ?= 6

# A .venv of another Python goes before anything looks at it.
ifdef PYTHON
ifneq ($(shell PYTHON='$(PYTHON)' .ci/make-venv --fits .venv || echo no),)
$(error PYTHON=$(PYTHON) cannot be used)
endif
endif

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

sandbox: .venv/product.stamp ## Run the whole sync in one process on a made-up municipality, nothing else needed
	@$(BIN)/update-sync sandbox $(ARGS)

test: .venv/dev.stamp ## Run all tests; finds, starts or installs the servers they need (ARGS="-k …")
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

# Where no engine runs, as root on Debian, a private one is made of Debian's packages, and so are the images.
image-test: .venv/bin/python ## Build the image, and run docker-compose.yml as docs/operating.md says, on a real engine
	@$(BIN)/python -m devtools.containers

# A failed round is run again alone with its own seed: make chaos SEED=… ROUNDS=1
chaos: .venv/dev.stamp ## Run rounds of faults (SEED=… ROUNDS=… USERS=… ONLY=kill-pool); docs/reliability.md
	@$(BIN)/python -m devtools.chaos --seed $(or $(SEED),1) --rounds $(or $(ROUNDS),50) \
		--users $(or $(USERS),2000) $(if $(ONLY),--only $(ONLY)) $(ARGS)

odd-servers: .venv/dev.stamp ## Sync with SCIM servers that are odd (USERS=… PAIRS=… SEED=…); docs/scim-servers.md
	@$(BIN)/python -m devtools.odd_servers --users $(or $(USERS),500) --pairs $(or $(PAIRS),30) \
		--seed $(or $(SEED),1) $(ARGS)

scim-table: .venv/dev.stamp ## Print what the client does with each odd SCIM server; docs/scim-servers.md
	@$(BIN)/python -m devtools.odd_servers.abilities $(ARGS)

bench: .venv/bench.stamp ## Measure side by side (QUICK=1 ROUNDS=… USERS=… ONLY="publish celery"); docs/performance.md
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(USERS),--users $(USERS)) $(if $(ONLY),--only $(ONLY)) $(if $(BEFORE),--before $(BEFORE)) $(ARGS)

drill: .venv/dev.stamp ## Drill: fail every user, then recover with an interrupted replay (USERS=10000)
	@$(BIN)/python -m devtools.chaos.replay_drill --seed $(or $(SEED),1) --users $(or $(USERS),10000)

lint: .venv/dev.stamp ## Check style, types, the layers of imports and the locked requirements
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if grep -nE 'https?://|file:|--(extra-)?index|--find-links|--trusted-host' requirements/*.txt; \
	then echo 'A locked requirement names where to download it: run make lock.' >&2; exit 1; fi

format: .venv/dev.stamp ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

services: .venv/dev.stamp ## Start a private RabbitMQ and PostgreSQL until Ctrl-C, and print how to use them
	@$(BIN)/python -m devtools.services

# One resolution for all supported Pythons. dev is bound to what product has, so both agree.
LOCK := $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-strip-extras --annotation-style line \
	--custom-compile-command 'make lock' pyproject.toml --extra sandbox --group build

lock: .venv/dev.stamp ## Choose versions afresh and write requirements/*.txt (ARGS=--upgrade for the newest)
	$(LOCK) $(ARGS) --output-file requirements/product.txt
	$(LOCK) $(ARGS) --group dev --constraint requirements/product.txt --output-file requirements/dev.txt
	$(LOCK) $(ARGS) --group bench --constraint requirements/dev.txt --output-file requirements/bench.txt

notices: .venv/dev.stamp ## Write THIRD-PARTY-NOTICES.md, after the locked versions are installed
	@$(BIN)/python -m devtools.notices

translations: .venv/dev.stamp ## Add new texts of the pages to the Swedish catalogue, then translate them there
	@$(BIN)/python -m devtools.translations

screens: .venv/dev.stamp ## Take the pictures of the Data Hub's pages afresh (docs/screens/), with Debian's Chromium
	@$(BIN)/python -m devtools.browser.screens

.venv/bin/python:
	@.ci/make-venv .venv

# An installation compiles the pages' translations (hatch_build.py), so a change of one repeats it.
TRANSLATIONS := $(wildcard hub/translations/*/LC_MESSAGES/*.po)

# The stamps are renewed only after everything was installed: an interrupted installation is repeated.
.venv/product.stamp: requirements/product.txt pyproject.toml hatch_build.py $(TRANSLATIONS) | .venv/bin/python
	@echo 'Installing what the product needs into .venv …' >&2
	@$(PIP) install --require-hashes --requirement requirements/product.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/product.stamp
	@echo 'Installing what the tests and checks need into .venv …' >&2
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

.venv/bench.stamp: requirements/bench.txt .venv/dev.stamp
	@echo 'Installing what the bench measures against into .venv …' >&2
	@$(PIP) install --require-hashes --requirement requirements/bench.txt
	@touch $@
