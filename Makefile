# Strongback's own commands. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# A machine that has Python, git and make has all it takes: uv is fetched into the project.
UV := $(or $(shell command -v uv),$(CURDIR)/.tools/bin/uv)
ifeq ($(shell mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}/uv" 2>/dev/null && test -w "$${XDG_CACHE_HOME:-$$HOME/.cache}/uv" && echo yes),)
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
endif
export PATH := $(CURDIR)/.tools/bin:$(PATH)
RUN := $(UV) run --quiet --all-packages --all-groups
DEMO := .demo/my-service

.PHONY: help setup demo test test-fast lint format twins reference bench

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(UV) ## Generate a service from this checkout into .demo and run it
	@$(UV) tool run --quiet --from 'copier>=9.19.1' copier copy --quiet --defaults --overwrite \
		--vcs-ref HEAD . "$(DEMO)"
	@test -d "$(DEMO)/.git" || git -C "$(DEMO)" init --quiet
	@$(MAKE) --no-print-directory -C "$(DEMO)" dev

setup: $(UV) ## Install what the tests need
	$(UV) sync --quiet --all-packages --all-groups

# Updates run on a machine without habits (no home, no git configuration), so by themselves.
UPDATES := tests/updates tests/hooks
test: setup ## Everything: the template, what it generates, and every update
	$(RUN) pytest -n 2 --dist worksteal $(UPDATES)
	$(RUN) pytest -n 2 --dist worksteal $(UPDATES:%=--ignore=%)

test-fast: setup ## The fast lane: what a change breaks most often
	$(RUN) pytest -n 2 --dist worksteal -m "not full" $(UPDATES:%=--ignore=%)

lint: setup ## Style and types of the template and of its own tests
	$(RUN) ruff format --check . && $(RUN) ruff check . && $(RUN) mypy
	cd template && $(RUN) mypy

format: setup ## Correct the style
	$(RUN) ruff check --fix . && $(RUN) ruff format .

twins: setup ## Rewrite the plain twins of the Jinja files in template/
	$(RUN) python -m tests.twins

reference: setup ## Rewrite docs/reference from the code
	$(RUN) python -m tests.reference

bench: setup ## CPU of a hardened request against a bare one
	cd template && $(RUN) python -m bench

$(CURDIR)/.tools/bin/uv:
	@python3 -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv \
		|| { echo "Could not install uv: python3 needs the venv module (Debian: apt install python3-venv) and PyPI within reach."; rm -rf .tools; exit 1; }
