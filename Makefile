# What a person types. Each target does its own set-up; Ctrl-C leaves nothing behind.

PYTHON := $(or $(shell command -v python3.11),$(shell command -v python3))
TOOLS_PYTHON := .venv/tools/bin/python
# Ends everything below it when it ends, however that happens.
SUPERVISED = $(PYTHON) -m sandbox.supervise --with-parent --
# Said here, because another Python may not even parse the set-up.
NOT_311 = ERROR: $(PYTHON) is not CPython 3.11. Install python3 and python3-venv of Debian 12, or: make PYTHON=/path/to/python3.11

.PHONY: help demo up cluster down status test test-training test-cluster fuzz bench lint site course setup browser clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Not supervised: its servers stay, to look at what came back.
demo: setup  ## the round trip: OMERO, Galaxy, segmentation, measurement, back to OMERO
	@$(TOOLS_PYTHON) -m scripts.demo

up: setup  ## start OMERO, OMERO.web and Galaxy, leave them running, print addresses and logins
	@$(PYTHON) -m sandbox up
	@$(TOOLS_PYTHON) -m scripts.examples

cluster: PART = cluster
cluster: setup  ## the same with Slurm and Pulsar, on which Galaxy runs its jobs
	@$(PYTHON) -m sandbox cluster

down:  ## stop what `make up` or `make cluster` started
	@$(PYTHON) -m sandbox down

status:  ## say what runs
	@$(PYTHON) -m sandbox status || true

test: PART = test
test: setup  ## every check: linters, pytest, tools and workflows on a real Galaxy
	@$(SUPERVISED) $(TOOLS_PYTHON) -m tests.run

test-training: PART = test
test-training: setup browser  ## follow every tutorial on a real Galaxy, with pictures
	@$(SUPERVISED) $(TOOLS_PYTHON) -m tests.run training

test-cluster: PART = test-cluster
test-cluster: setup  ## workflows on Slurm and Pulsar, and what happens when these go away
	@$(SUPERVISED) $(TOOLS_PYTHON) -m tests.run cluster

lint: setup  ## the linters only
	@$(SUPERVISED) $(TOOLS_PYTHON) -m tests.run lint

fuzz: setup  ## 5,000 mutants of each tool's inputs; takes hours
	@$(SUPERVISED) $(TOOLS_PYTHON) -m tests.fuzz.run --mutants 5000

bench: setup  ## measure; writes benchmarks/results.json
	@$(SUPERVISED) $(TOOLS_PYTHON) -m benchmarks.run

PEOPLE := 4
course: setup  ## servers with accounts for PEOPLE=4, the tutorials' data, a datathon
	@$(TOOLS_PYTHON) -m scripts.course --people $(PEOPLE)

site: PART = docs
site: setup  ## build the website from README, docs, help and tutorials
	@$(SUPERVISED) .venv/docs/bin/python -m scripts.website

setup:  ## install what is missing: virtual environments, Galaxy, front end
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "$(NOT_311)")'
	@$(SUPERVISED) $(PYTHON) -m sandbox.setup $(PART)

browser: setup  ## install Chromium to look at Galaxy's pages
	@$(SUPERVISED) $(PYTHON) -m sandbox.setup browser

clean: down  ## remove the sandbox with all its data, and caches; environments stay
	@rm -rf .sandbox .pytest_cache .mypy_cache .ruff_cache .hypothesis
