# `make help` lists the targets. Two commands are enough: `make demo` and `make test`.

PYTHON ?= python3
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed-$(EXTRAS).stamp
SOURCES := $(shell git ls-files -co --exclude-standard -- '*.py' '*.j2' '*.csv' '*.json' '*.md' setup.cfg pyproject.toml Makefile 2>/dev/null | sed 's/ /\\ /g')
DATA := $(if $(VGGSS_TEST_DATA),with-data,without-data)

.DEFAULT_GOAL := help
.PHONY: help demo test retest lint types layers pytest wheel bench docs reference sample clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/report.stamp  ## score the sample that ships with the package, write demo-report.html
	@$(BIN)/vggss score annotations/sample/good.json --benchmark sample --report demo-report.html

test: .make/tested-$(DATA)-$(EXTRAS)  ## every gate: ruff, mypy, import-linter, pytest, wheel (EXTRAS=dev,autobox,cluster for all)
	@echo "every gate has passed on these files ($(DATA), $(EXTRAS)); make retest runs them again"

retest:  ## run every gate again
	@rm -f .make/tested-*
	@$(MAKE) --no-print-directory test

.make/tested-$(DATA)-$(EXTRAS): $(INSTALLED) $(SOURCES)
	@$(MAKE) --no-print-directory lint types layers wheel pytest
	@mkdir -p .make && touch $@

lint: $(INSTALLED)  ## ruff: style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)  ## mypy, strict
	$(BIN)/mypy

layers: $(INSTALLED)  ## import-linter: arrows only go down
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

pytest: $(INSTALLED)  ## tests and doctests with coverage
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term-missing:skip-covered

wheel: $(INSTALLED)  ## build the wheel, test the installed copy away from the checkout
	rm -rf build dist .make/wheel .make/away
	$(BIN)/python -m build --wheel --outdir dist . >/dev/null
	$(PYTHON) -m venv .make/wheel
	.make/wheel/bin/python -m pip install -q --disable-pip-version-check "$$(ls dist/*.whl)[report]" pytest hypothesis
	mkdir -p .make/away && cp -r tests .make/away/tests
	cd .make/away && VGGSS_INSTALLED=1 PYTHONPATH=tests ../wheel/bin/pytest -q -c /dev/null --import-mode=importlib -p no:cacheprovider \
	  -m "not slow and not browser" tests/test_layout.py tests/test_cli.py

bench: $(INSTALLED)  ## speed against what the field uses, in one run (VGGSS_TEST_DATA names the real data)
	$(BIN)/python benchmarks/score_speed.py
	$(BIN)/python benchmarks/decode_speed.py
	$(BIN)/python benchmarks/prepare_speed.py
	$(BIN)/python benchmarks/loader_speed.py
	$(BIN)/python benchmarks/autobox_quality.py
	$(BIN)/python -c 'import torchvision' 2>/dev/null && $(BIN)/python benchmarks/detect_speed.py || echo "detect_speed.py needs torch: make bench EXTRAS=dev,autobox"

reference: $(INSTALLED)  ## make annotations/reference.csv again from the real benchmarks
	$(BIN)/python benchmarks/make_reference.py

docs: $(INSTALLED)  ## make docs/commands.md again from --help
	$(BIN)/python docs/make_commands.py

sample: $(INSTALLED)  ## make annotations/sample again
	$(BIN)/python annotations/sample/make_sample.py

clean:  ## remove what make made
	rm -rf $(VENV) .make build dist *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-report.html

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vggss needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/report.stamp: setup.cfg pyproject.toml | $(VENV)/bin/pip
	$(BIN)/python -m pip install -q --disable-pip-version-check -e ".[report]"
	@touch $@

$(INSTALLED): setup.cfg pyproject.toml | $(VENV)/bin/pip
	$(BIN)/python -m pip install -q --disable-pip-version-check -e ".[$(EXTRAS)]"
	@touch $@ $(VENV)/report.stamp
