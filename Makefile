PYTHON ?= python3
READY := .venv/.ready
VLLM_READY := .venv-vllm/.ready
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup setup-vllm demo demo-full test test-vllm test-cluster test-faults check bench \
	tiny-model clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## install everything into .venv

$(READY): pyproject.toml envs/constraints.txt envs/install.py
	$(PYTHON) envs/install.py
	@touch $@

setup-vllm: $(VLLM_READY) ## install vLLM for inference into .venv-vllm

$(VLLM_READY): envs/vllm.yaml envs/constraints-vllm.txt envs/install.py
	$(PYTHON) envs/install.py vllm
	@touch $@

demo: $(READY) ## run the whole chain on a simulated world with a tiny model
	snakemake --workflow-profile demo
	@echo "The table is in results/demo/report/tables/main.csv (main.md to read)"

demo-full: $(READY) ## the same with all variants: both ablations, data shares, no description
	snakemake --workflow-profile demo-full
	@echo "Everything is on the page results/demo-full/report/index.html"

test: $(READY) ## check style, types and layers, and run the tests
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	mypy
	lint-imports
	OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile

test-vllm: $(VLLM_READY) ## test vLLM, its server and transformers against each other
	OMP_NUM_THREADS=1 .venv-vllm/bin/python -m pytest tests/vllm

test-cluster: $(READY) ## test the workflow on a Slurm of one node, which is installed if need be
	envs/slurm.sh
	pytest tests/cluster

test-faults: $(READY) ## kill, interrupt, damage and starve every stage, the slow tests too
	OMP_NUM_THREADS=1 pytest -m "slow or not slow" tests/faults tests/workflow/test_faults.py

bench: $(READY) ## run the benchmarks; results go to tests/benchmarks/results/
	for file in tests/benchmarks/*.py; do python $$file || exit 1; done

tiny-model: $(READY) ## make the tiny model again, into results/tiny-model
	itdr tiny-model --recipe config/models/tiny/recipe.json --out results/tiny-model

clean: ## delete what the demos made
	rm -rf results/demo results/demo-full
