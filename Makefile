# `make help` lists the targets. Needs Python 3.11 or newer with venv, and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
APP_READY := .venv/ready
STACK_READY := .venv-stack/ready
SECURITY_READY := .venv-security/ready
COMPILE := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
CODE := app.py bench chalicelib local security tests
# One more than CI has processors: the tests of the deployed package wait for most of their time.
TESTERS ?= 3
SHARED := --numprocesses=$(TESTERS) --dist=loadscope --no-loadscope-reorder

export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(APP_READY) $(STACK_READY) ## Create both virtual environments from the locked requirements

.PHONY: demo
demo: setup ## Send a real campaign through the embedded stack, and check what arrived
	@$(BIN)/python -m local.demo

.PHONY: demo-ses
demo-ses: setup ## Send one through SES, with bounces, complaints, opens and events in disorder, and check it
	@$(BIN)/python -m local.demo_ses

.PHONY: demo-attachments
demo-attachments: setup ## Send a file of 60 MB to 20 recipients by SMTP, compare the bytes, and tell the memory it took
	@$(BIN)/python -m local.demo_attachments

.PHONY: plan-demo
plan-demo: setup ## Run a campaign on a simulated clock, and compare it with its plan
	@$(BIN)/python -m local.plan_demo

.PHONY: security
security: setup $(SECURITY_READY) ## Try to get in: isolation, bad input, contract, idle permissions, scans
	@$(BIN)/python -m security

.PHONY: run
run: setup ## Keep the embedded stack running; data stay in .local/
	@$(BIN)/python -m local.run

.PHONY: operator
operator: setup ## Give the operator's order CMD='show_health' to the stack of `make run`, or CMD='--aws …'
	@$(BIN)/python -m local.operate $(CMD)

.PHONY: test
test: setup ## Run all tests, and measure branch coverage
	$(BIN)/pytest $(SHARED) --cov=chalicelib --cov-report=term:skip-covered --cov-fail-under=90

.PHONY: check
check: setup ## Formatting, lint, types, import contracts, tests
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

.PHONY: format
format: setup ## Format the code and apply the safe lint fixes
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

.PHONY: package
package: setup ## Write the deployable artefacts to build/
	@$(BIN)/python -m local.package

.PHONY: bench-compose
bench-compose: setup ## Measure the CPU time of making one message
	@$(BIN)/python -m bench.compose

.PHONY: bench-sign
bench-sign: setup ## Measure the CPU time of signing one message
	@$(BIN)/python -m bench.sign

.PHONY: bench-attach
bench-attach: setup ## Measure the CPU time of one message with a file of 5 MiB, on its way to a server
	@$(BIN)/python -m bench.attach

.PHONY: bench-requests
bench-requests: setup ## Count the AWS requests and write units of one contact
	@$(BIN)/python -m bench.requests

.PHONY: bench-dialogs
bench-dialogs: setup ## Count the AWS requests of one dialog, told and made a contact of
	@$(BIN)/python -m bench.dialogs

.PHONY: bench-release
bench-release: setup ## Count the calls that release 20,000 contacts in one tick
	@$(BIN)/python -m bench.release

.PHONY: bench-import
bench-import: setup ## Measure the import of a million rows of CSV and of 100,000 of Excel
	@$(BIN)/python -m bench.imports

.PHONY: lock
lock: $(APP_READY) ## Pin the newest compatible versions of all requirements
	$(COMPILE) --upgrade --output-file requirements.txt requirements.in
	$(COMPILE) --upgrade --output-file requirements/dev.txt requirements/dev.in
	$(COMPILE) --upgrade --output-file requirements/stack.txt requirements/stack.in
	$(COMPILE) --upgrade --output-file requirements/security.txt requirements/security.in

.PHONY: clean
clean: ## Remove what was built; .local/ keeps the data of `make run`
	rm -rf .venv .venv-stack .venv-security build .chalice/deployments .coverage .coverage.* \
		.hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(APP_READY): requirements/dev.txt requirements.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --requirement requirements/dev.txt
	touch $@

# The bare environment inside runs the Lambdas, so that they see nothing but their own package.
$(STACK_READY): requirements/stack.txt
	$(PYTHON) -m venv --clear .venv-stack
	.venv-stack/bin/pip install --quiet --requirement requirements/stack.txt
	$(PYTHON) -m venv --without-pip .venv-stack/lambda
	touch $@

# Its requirements would meet those of the tests in other versions.
$(SECURITY_READY): requirements/security.txt
	$(PYTHON) -m venv --clear .venv-security
	.venv-security/bin/pip install --quiet --requirement requirements/security.txt
	touch $@
