# Mantel's commands. Each does the set-up that is missing first.
# docs/contributing.md says more; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
LAYERS := $(wildcard java-analytics/pom.xml)

.PHONY: help run test test-all bench dist lint format

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.ready: requirements-dev.lock pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check -r requirements-dev.lock
	.venv/bin/pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

lint: .venv/.ready ## formatters, linters, type checkers, import contracts
	.venv/bin/ruff format --check appliance dlna tests
	.venv/bin/ruff check appliance dlna tests
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

format: .venv/.ready ## write the code as `make lint` wants it
	.venv/bin/ruff format appliance dlna tests
	.venv/bin/ruff check --fix appliance dlna tests

test: .venv/.ready ## the tests, under 15 minutes on two cores
	.venv/bin/pytest -m "not slow"
