# make run             set everything up, build a release of a generated sample, show an answer
# make run SOURCE=…    the same on s3://…, https://…, a zip or a directory
# make test            set everything up and run the tests, on a real S3 server, PostgreSQL, browser and Spark cluster
# make test-long       run those that take long: many kills, many broken inputs, what a lake can go through
# make lint            ruff, mypy, oxlint, and whether the rendered pages are fresh
# make docs            render the pages that come from the code, and the site of them in build/site
# make bench           measure; figures go to docs/benchmarks.md
# make dist            the tarball and the wheel, in dist/

PYTHON ?= python3
OUT ?= moviehouse-out
SAMPLE := build/sample.zip
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test test-long lint docs bench dist clean

run: .venv/run
ifdef SOURCE
	$(BIN)/moviehouse "$(SOURCE)" --out "$(OUT)"
else
	@mkdir -p build
	$(BIN)/moviehouse sample $(SAMPLE) --movies 2000 --ratings 100000
	$(BIN)/moviehouse $(SAMPLE) --out "$(OUT)"
endif
	@echo
	$(BIN)/moviehouse ask genre-revenue-by-year --top 20 --release "$(OUT)"

test: .venv/dev
	$(BIN)/python -m pytest -n auto

test-long: .venv/dev
	$(BIN)/python -m pytest -n auto -m long

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@mkdir -p build
	@$(BIN)/python -m moviehouse.render.report > build/report.js
	$(BIN)/oxlint --deny-warnings build/report.js
	$(BIN)/python -m moviehouse.render --check

docs: .venv/dev
	$(BIN)/python -m moviehouse.render
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "To read it: build/site/index.html, or with its search: $(BIN)/mkdocs serve"

bench: .venv/bench
	$(BIN)/python bench/build.py --into docs/benchmarks.md
	$(BIN)/python bench/compare.py --into docs/benchmarks.md

dist: .venv/dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	@ls -l dist

clean:
	rm -rf .venv build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Moviehouse needs Python 3.11 or later; $(PYTHON) is not. Try: make PYTHON=python3.12 run" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python has no venv: install it (Debian: apt install python3-venv)." >&2; exit 1; }

.venv/run: .venv/bin/python pyproject.toml constraints.txt
	@echo "Setting up .venv"
	@$(PIP) install --upgrade pip
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

.venv/dev: .venv/run
	@echo "Setting up .venv for the tests"
	@$(PIP) install --constraint constraints.txt --group dev
	@touch $@

.venv/bench: .venv/dev
	@echo "Setting up .venv for the benchmarks"
	@$(PIP) install --constraint constraints.txt --group bench
	@touch $@
