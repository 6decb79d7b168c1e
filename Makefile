# What there is to type. `make` alone lists it.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up demo status logs migrate down reset check test format lock
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
QUARTET := $(BIN)/quartet

define lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
endef

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 | \2/p' Makefile | column -t -s '|' 2>/dev/null || grep '## ' Makefile

up: .venv/.runtime  ## start everything, wait until it is ready, say where to look
	@$(QUARTET) up

demo: .venv/.runtime  ## watch orders go through, and compensations
	@$(QUARTET) demo

status: | $(QUARTET)  ## show every program
	@$(QUARTET) status

logs: | $(QUARTET)  ## show the logs: NAME=order LINES=50 FOLLOW=1
	@$(QUARTET) logs $(NAME) $(if $(LINES),--lines $(LINES)) $(if $(FOLLOW),--follow)

migrate: .venv/.runtime  ## bring the schema of every service up to date
	@$(QUARTET) migrate

down: | $(QUARTET)  ## stop everything; the data stays
	@$(QUARTET) down

reset: | $(QUARTET)  ## stop everything, and delete all data, logs and passwords
	@$(QUARTET) reset

check: .venv/.development  ## lint, types, architecture, unit tests
	$(lint)
	@$(BIN)/pytest tests/unit

test: .venv/.development  ## check, and every test, on native servers and on those of a Docker engine that answers
	$(lint)
	@$(BIN)/pytest --servers=native
	@if $(BIN)/python -m tests.integration.engine; then \
		$(BIN)/pytest tests/integration --servers=containers; \
	else \
		echo "quartet: no Docker engine answers, so Docker mode was not exercised"; \
	fi

format: .venv/.development  ## write the code as it should look
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

lock:  ## resolve the dependencies anew (needs uv)
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) --group dev pyproject.toml -o requirements-dev.txt

# What is installed is stamped, and installed again only when the lock or the project's own description changes.

IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

define install
	@for python in python3 python3.13 python3.12 python3.11; do \
		$$python -c '$(IN_RANGE)' 2>/dev/null || continue; \
		fitting=$$python; \
		$$python -c 'import venv, ensurepip' 2>/dev/null && exec $$python scripts/bootstrap.py $(1); \
	done; \
	if [ "$$fitting" ]; then \
		echo "quartet: $$fitting cannot make a virtual environment: type \`sudo apt-get install $$fitting-venv\`" >&2; \
	else \
		echo "quartet: Python 3.11, 3.12 or 3.13 is needed, and none is on the PATH" >&2; \
	fi; exit 2
endef

.venv/.runtime: requirements.txt pyproject.toml
	$(call install,requirements.txt)

.venv/.development: requirements-dev.txt pyproject.toml
	$(call install,requirements-dev.txt)

$(QUARTET):
	@$(MAKE) .venv/.runtime
