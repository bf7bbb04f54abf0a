# The menu. Needs make and Python 3.11 or newer with pip; uv is used where it is on the PATH.
#   make run     the bot, as ARGS say:  make run ARGS="--config my.toml"
#   make test    every test             make check   linters, types, layers and the fast tests
#   make bench   all benchmarks         make soak    the long fault tests
#   make lock    renew constraints.txt  make clean   remove everything built

.PHONY: run test check bench soak lock clean
.DEFAULT_GOAL := run

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTHON ?= $(shell for p in python3 python python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
UV := $(shell command -v uv 2>/dev/null)

ifneq ($(UV),)
MAKE_VENV = "$(UV)" venv --quiet --allow-existing --python "$(or $(PYTHON),>=3.11)" $(VENV)
INSTALL = "$(UV)" pip install --quiet --python $(BIN)/python
else
MAKE_VENV = "$(PYTHON)" -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --prefer-binary
endif
# exactly the versions of constraints.txt, as wheels; Tocsin itself is linked, not copied
WHEELS = --constraint constraints.txt --only-binary :all:

run: $(VENV)/.run
	@exec $(BIN)/tocsin run $(ARGS)

# many tests wait for processes and clocks: more workers than cores
test: $(VENV)/.dev
	$(BIN)/pytest -n 4 --dist worksteal $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto -m "not slow" $(ARGS)

bench: $(VENV)/.dev
	@for script in $$(grep -l "__main__" benchmarks/*.py | grep -v fit_); do echo "== $$script"; $(BIN)/python -m "benchmarks.$$(basename "$$script" .py)" || exit 1; done

soak: $(VENV)/.dev
	@for script in $$(grep -l "__main__" tests/soak/*.py); do echo "== $$script"; \
		$(BIN)/python -m "tests.soak.$$(basename "$$script" .py)" || exit 1; done

lock: $(VENV)/.dev
	$(INSTALL) uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-header --python-version 3.11 \
		--extra postgres --extra fulltext --extra fast --group dev pyproject.toml --output-file $(VENV)/constraints.txt
	(echo "# Exact versions of everything that \`make\` installs. Renew: make lock"; cat $(VENV)/constraints.txt) > constraints.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# a stamp is written last, so an install that was broken off is done again
$(VENV)/.run: pyproject.toml constraints.txt
	@test -n "$(PYTHON)$(UV)" || { echo "Python 3.11 or newer is needed (Debian: apt install python3 python3-venv)" >&2; exit 1; }
	@echo "Installing into $(VENV) (once, less than a minute) ..." >&2
	@$(MAKE_VENV)
	@$(INSTALL) $(WHEELS) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "Installing what the tests need ..." >&2
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev'], sep='\n')" > $(VENV)/dev.txt
	@$(INSTALL) $(WHEELS) --requirement $(VENV)/dev.txt
	@touch $@
