# Each target installs what it needs into .venv; `make report` and `make test` are enough for a fresh clone.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES := pyproject.toml setup.py constraints.txt $(shell find constrain -name '*_cy.py' -o -name '*.pxd')

.PHONY: report report-samples test oracle-long memory-long conformance suite walks masks lint clean
.PHONY: bench bench-scale bench-apply bench-generation figures

report: $(VENV)/.report          ## the quarterly reports: with the constraint and without
	$(BIN)/python examples/quarterly_report/run.py

report-samples: $(VENV)/.report $(VENV)/.test   ## 200 reports at temperature 1.5, and 200 of random logits
	$(BIN)/python examples/quarterly_report/run.py --samples 200 --temperature 1.5
	$(BIN)/python examples/quarterly_report/run.py --samples 200 --temperature 1.5 --random-logits
	$(BIN)/python examples/quarterly_report/run.py --samples 200 --temperature 1.5 --random-logits --max-new-tokens least

test: $(VENV)/.test              ## the default tests
	$(BIN)/python -m pytest

oracle-long: $(VENV)/.test       ## the mask oracle over 2,000 random schemas
	CONSTRAIN_LONG=1 $(BIN)/python -m pytest tests/properties/test_mask_oracle.py

conformance: $(VENV)/.test       ## 7,539 real schemas with their instances
	$(BIN)/python -m tests.conformance.run --all --seconds 10

suite: $(VENV)/.test             ## the official JSON-Schema-Test-Suite, optional tests too
	$(BIN)/python -m tests.conformance.suite
	$(BIN)/python -m tests.conformance.suite --optional

walks: $(VENV)/.test             ## 20 random walks over each real schema
	$(BIN)/python -m tests.conformance.walks --all --record benchmarks/results/walks.json

masks: $(VENV)/.bench            ## masks of a 128k vocabulary over real schemas, each token tried
	$(BIN)/python -m tests.conformance.masks --positions 2000

lint: $(VENV)/.lint              ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/mypy --strict

bench: $(VENV)/.bench            ## time to the first mask and between masks, beside all peers: half an hour
	$(BIN)/python -m benchmarks.mask_speed --schemas 60 --limit 12 --engines constrain llguidance glrmask maskforge xgrammar outlines-core
	$(BIN)/python -m benchmarks.mask_speed --schemas 600 --engines constrain llguidance glrmask --tag mask_speed_600
	$(BIN)/python -m benchmarks.mask_speed --schemas 120 --simple --tag mask_speed_simple
	$(BIN)/python -m benchmarks.mask_speed --engines constrain llguidance glrmask --tokenizer qwen3 --tag mask_speed_qwen3
	$(BIN)/python -m benchmarks.mask_speed --engines constrain llguidance glrmask --tokenizer gemma3 --tag mask_speed_gemma3

bench-scale: $(VENV)/.bench      ## vocabularies of two sizes, and documents of 100,000 tokens
	$(BIN)/python -m benchmarks.vocabulary_size
	$(BIN)/python -m benchmarks.long_document

bench-apply: $(VENV)/.bench      ## masks on logits
	$(BIN)/python -m benchmarks.apply_mask

bench-generation: $(VENV)/.report $(VENV)/.bench   ## what the constraint costs and saves in generation
	$(BIN)/python -m benchmarks.generation_speed

figures: $(VENV)/.bench          ## plots and the README's table from the committed results
	$(BIN)/python -m benchmarks.figures

memory-long: $(VENV)/.test       ## bounded memory under 5,000 schemas and 3,000 documents
	CONSTRAIN_LONG=1 $(BIN)/python -m pytest tests/properties/test_remembered_masks.py -k memory

clean:
	rm -rf $(VENV) build *.egg-info
	find constrain \( -name '*.so' -o -name '*_cy.c' \) -delete

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Installed in place, so that tests and examples run the files of the checkout; compiled modules are
# rebuilt when their sources change.
$(VENV)/.report: $(BIN)/python $(SOURCES)
	$(PIP) -e '.[models,gemma]'
	@touch $@

$(VENV)/.test: $(BIN)/python $(SOURCES)
	$(PIP) -e '.[models,test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PIP) ruff mypy
	@touch $@

$(VENV)/.bench: $(BIN)/python $(SOURCES)
	$(PIP) -e '.[models,bench]'
	@touch $@
