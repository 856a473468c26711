# Two commands do everything on a fresh machine with Python 3.11 or newer:
#   make all     set up, then the whole job on an embedded default, offline
#   make test    set up, then the fast tests
#   make all CORPUS=corpora/ravdess ENCODER=DIR_OR_ID    the same job on yours
#   ... EXTRACT_FLAGS='--allow-errors 1' TRAIN_FLAGS='--protocol random-holdout'
PYTHON  ?= python3
CORPUS  ?= demo/corpus
ENCODER ?= fbank
# One store and one set of runs for each corpus and encoder, told apart by the whole of their names.
ifeq ($(CORPUS) $(ENCODER),demo/corpus fbank)
NAME    := corpus-fbank
else
NAME    := $(shell printf '%s-%s-%s' "$$(basename '$(CORPUS)')" "$$(basename '$(ENCODER)')" \
             "$$(printf '%s' '$(abspath $(CORPUS)) $(ENCODER)' | cksum | cut -d' ' -f1)" \
             | tr -c 'A-Za-z0-9._-' '_')
endif
STORE   ?= demo/$(NAME).zarr
RUNS    ?= demo/runs/$(NAME)
EXTRACT_FLAGS ?=
TRAIN_FLAGS   ?=
MODELS  := gen-ser transformer-mse closed-form svm linear transformer-ce

BIN   := .venv/bin
GENSR := $(BIN)/gensr

.PHONY: all setup test test-slow lint types reference clean

# Extraction goes on where it stopped, and does nothing twice; runs are made anew, and a page of them.
all: setup
ifeq ($(CORPUS),demo/corpus)
	$(GENSR) demo-corpus '$(CORPUS)'
endif
	$(GENSR) extract '$(CORPUS)' --encoder '$(ENCODER)' --out $(STORE) $(EXTRACT_FLAGS)
	for model in $(MODELS); do \
	  $(GENSR) train $(STORE) --model $$model --run $(RUNS)/$$model --overwrite $(TRAIN_FLAGS) \
	    || exit 1; \
	done
	$(GENSR) train $(STORE) --fold none --run $(RUNS)/deployed --overwrite $(TRAIN_FLAGS)
	clip=$$(find '$(CORPUS)' -type f \( -name '*.wav' -o -name '*.flac' \) | sort | head -n 1); \
	  test -z "$$clip" || $(GENSR) predict "$$clip" --run $(RUNS)/deployed --encoder '$(ENCODER)'
	$(GENSR) eval $(MODELS:%=$(RUNS)/%)
	$(GENSR) compare $(MODELS:%=$(RUNS)/%)
	$(GENSR) report $(MODELS:%=$(RUNS)/%) --audio '$(CORPUS)'

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "gensr needs Python 3.11 or newer; found $$($(PYTHON) --version). Pass PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || { \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt uv; }
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode \
	  --constraints constraints.txt --build-constraints constraints.txt --editable '.[dev]'
	$(BIN)/python -m compileall -q cli pipeline features estimator
	mkdir -p .venv/namespace/gensr
	for folder in cli pipeline features estimator; do \
	  ln -sfn ../../../$$folder .venv/namespace/gensr/$$folder; \
	done
	ln -sf ../../../pipeline/face/__init__.py .venv/namespace/gensr/__init__.py
	touch $@

test: setup
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal \
	  --cov --cov-report=term:skip-covered --cov-fail-under=90

test-slow: setup
	$(BIN)/python -m pytest -m slow -n 2 --dist worksteal

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# docs/commands.md, from the commands themselves; a test holds it against them.
reference: setup
	$(BIN)/python -m typer gensr.cli.main utils docs --name gensr --output docs/commands.md

clean:
	rm -rf .venv demo runs
