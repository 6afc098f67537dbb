PYTHON ?= python3
READY := .venv/.ready
VLLM_READY := .venv-vllm/.ready
INSTALL := python -m pip install --quiet --constraint envs/constraints.txt --editable .
export PATH := $(CURDIR)/.venv/bin:$(PATH)

export TORCH

.PHONY: help setup setup-vllm constraints demo demo-full lint test test-vllm test-gpu test-cluster \
	test-faults secrets fuzz soak audit bench bench-gpu docs reference tiny-model clean always

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## install everything into .venv; TORCH=cpu or TORCH=cuda chooses PyTorch's build

# Another build may be asked for while nothing else has changed.
$(READY) $(VLLM_READY): $(if $(TORCH),always)

$(READY): pyproject.toml envs/constraints.txt envs/constraints-cuda.txt envs/install.py
	$(PYTHON) envs/install.py
	@touch $@

setup-vllm: $(VLLM_READY) ## install vLLM for inference into .venv-vllm; TORCH as for setup

$(VLLM_READY): envs/vllm.yaml envs/constraints-vllm.txt envs/constraints-vllm-cuda.txt envs/install.py
	$(PYTHON) envs/install.py vllm
	@touch $@

constraints: $(READY) ## work out the versions that installs are held to, for CPU and CUDA; UV=options
	python envs/lock.py $(UV)

demo: $(READY) ## run the whole chain on a simulated world with a tiny model
	python -m snakemake --workflow-profile demo
	@echo "The table is in results/demo/report/tables/main.csv (main.md to read)"

demo-full: $(READY) ## the same with all variants: both ablations, data shares, no description
	python -m snakemake --workflow-profile demo-full
	@echo "Everything is on the page results/demo-full/report/index.html"

lint: $(READY) ## check style, types and layers, and look for secrets
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	mypy
	lint-imports
	$(MAKE) --no-print-directory secrets

test: lint ## check style, types and layers, and run the tests
	OMP_NUM_THREADS=1 python -m pytest -n 2 --dist loadfile --durations 12

test-vllm: $(VLLM_READY) ## test vLLM, its server and transformers against each other
	OMP_NUM_THREADS=1 .venv-vllm/bin/python -m pytest tests/vllm

DEVICE ?= cuda

test-gpu: $(READY) ## test training on a GPU; DEVICE=cpu: what of it can be tested without one
	$(if $(filter cpu,$(DEVICE)),OMP_NUM_THREADS=1) \
	    pytest tests/gpu --device $(DEVICE) --checks results/test-gpu-$(DEVICE).csv

test-cluster: $(READY) ## test the workflow on a Slurm of one node, which is installed if need be
	envs/slurm.sh
	python -m pytest tests/cluster

test-faults: $(READY) ## kill, interrupt, damage and starve every stage, the slow tests too
	OMP_NUM_THREADS=1 python -m pytest -m "slow or not slow" tests/faults tests/workflow/test_faults.py \
	    tests/workflow/test_configuration.py tests/unit/test_wrong_options.py \
	    tests/unit/test_wrong_settings.py tests/unit/test_damaged_models.py

secrets: $(READY) ## look for passwords and keys in all files of the repository
	git ls-files -z | xargs -0 detect-secrets-hook --no-verify \
	    --exclude-files '\.(safetensors|png)$$|tokenizer\.json$$|^Makefile$$' \
	    --exclude-secrets '^([0-9a-f]{40}|[0-9a-f]{64}|1[0-9A-Za-z_-]{32})$$' --exclude-lines '\bmd5: '

FUZZ_SECONDS ?= 60
FUZZ_EXAMPLES ?= 20

fuzz: $(READY) ## look for input that upsets a reader: FUZZ_SECONDS each, FUZZ_FLAGS=--keep
	$(INSTALL)[fuzz]
	ITDR_EXAMPLES=$(FUZZ_EXAMPLES) HYPOTHESIS_PROFILE=random python -m pytest tests/unit/test_bad_input.py
	python -m tests.fuzz.all --seconds $(FUZZ_SECONDS) $(FUZZ_FLAGS) $(FUZZ_READERS)

N ?= 20

soak: $(READY) ## run the workflow N times, each with a random disturbance: the same bytes
	python -m tests.soak $(N)

audit-packages: $(READY) ## ask whether pinned packages have known vulnerabilities; needs a network
	$(INSTALL)[audit]
	python envs/audit.py

bench: $(READY) ## run the benchmarks; results go to tests/benchmarks/results/
	for file in $(filter-out %/gpu.py,$(wildcard tests/benchmarks/*.py)); do \
	    python $$file || exit 1; done

bench-gpu: $(READY) ## measure training and vLLM on a GPU; DEVICE=cpu: try the benchmark itself
	PYTHONPATH=. python tests/benchmarks/gpu.py --device $(DEVICE)

docs: $(READY) ## build the documentation site into site/; SERVE=1 shows it and what changes in it
	python -m itdr report --published-only --paper config/papers/itdr --out docs/published
	python -m mkdocs $(if $(SERVE),serve,build --strict)

reference: $(READY) ## write docs/reference/settings.md, docs/reference/commands.md and config's schema and comments
	python -m itdr reference

tiny-model: $(READY) ## make the tiny model again, into results/tiny-model
	python -m itdr tiny-model --recipe config/models/tiny/recipe.json --out results/tiny-model

clean: ## delete what the demos made
	rm -rf results/demo results/demo-full
