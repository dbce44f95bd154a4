# make demo    the whole chain over rendered videos, ending in the table
# make test    style, types and the tests
# make help    every target
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
IN_PARALLEL := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES)

.DEFAULT_GOAL := help
.PHONY: help install lock docs demo lint test test-slow test-slurm test-real test-long clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.installed: requirements.lock envs/bootstrap.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 12) else f"simhand needs Python 3.11 or 3.12, {sys.executable} is {v[0]}.{v[1]}; name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/bootstrap.lock
	$(BIN)/uv pip install --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --no-deps --no-build-isolation -e .
	@touch $@
	@echo "simhand is installed in .venv. Next: make demo; or source .venv/bin/activate, and simhand --help"

install: .venv/.installed ## a virtual environment in .venv, from the pinned lock

lock: ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --upgrade -q -o requirements.lock
	echo uv | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" -q -o envs/bootstrap.lock

docs: .venv/.installed ## write docs/configuration.md and docs/tables.md out of the code
	$(BIN)/python -m simhand.config_docs docs
	$(BIN)/python -m simhand.tables_docs docs

demo: .venv/.installed ## render videos of hands and run the whole chain on them
	$(BIN)/python -m simhand.synthetic demo --jobs $(CORES)
	$(BIN)/snakemake --cores $(CORES) all
	$(BIN)/python -m simhand.reporting results/report

lint: .venv/.installed ## style, types, and Snakemake's own findings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/python -m pytest -q tests/workflow/test_lint.py

test: lint ## style, types and the tests
	$(IN_PARALLEL) --ignore=tests/workflow/test_lint.py -m "not demo and not slow and not slurm and not real"

test-slow: .venv/.installed ## tests that take minutes
	$(IN_PARALLEL) -m slow

test-slurm: .venv/.installed ## the workflow on a Slurm of its own: root, and apt install slurmctld slurmd slurm-client munge
	$(BIN)/python -m pytest -m slurm

test-real: .venv/.installed ## the tests on real videos and images, in the folder named by SIMHAND_SHARED
	$(IN_PARALLEL) -m real

test-long: .venv/.installed ## these three together, in less time
	$(IN_PARALLEL) -m "slow or slurm or real"

clean: ## remove what the demo made
	@others=$$(ls results/videos results/annotations 2>/dev/null | grep -vxE 'demo|results/.*:|' || true); \
	if [ -n "$$others" ]; then echo "results/ also holds what was made of" $$others"; remove what you do not need yourself"; exit 1; fi
	rm -rf demo results .snakemake
