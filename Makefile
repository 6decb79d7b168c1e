# What there is to type. `make` alone lists it.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up demo ablation mutants audit bench bench-dashboard load simulate chaos chaos-payment-fail status logs migrate down reset lint check test format lock
MAKEFLAGS += --no-print-directory
unexport PYTHONPATH  # or another checkout would answer
export MAKE  # for who runs all of it

BIN := .venv/bin
QUARTET := $(BIN)/quartet
RUNTIME := .venv/.runtime

# Where no Python fits and Docker is there, the same commands run in a container.

PYTHONS := python3 python3.13 python3.12 python3.11
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
FITTING = for python in $(PYTHONS); do $$python -c '$(IN_RANGE)' 2>/dev/null && exit; done; command -v docker

ifeq ($(wildcard $(QUARTET))$(filter native,$(MODE)),)
ifneq ($(shell $(FITTING)),)
QUARTET := scripts/in-container
RUNTIME :=
endif
endif

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 | \2/p' Makefile | column -t -s '|' 2>/dev/null || grep '## ' Makefile

up: $(RUNTIME)  ## start everything, and say where to look: MODE=docker or native, SCALE=2, OBSERVE=1
	@$(QUARTET) up $(if $(MODE),--mode '$(MODE)') $(if $(SCALE),--scale '$(SCALE)') $(if $(filter-out 0,$(OBSERVE)),--observe)

demo: $(RUNTIME)  ## watch orders go through, and compensations
	@$(QUARTET) demo

audit: $(RUNTIME)  ## hold everything against every promise: SINCE=10m INSTANT=1
	@$(QUARTET) audit $(if $(SINCE),--since '$(SINCE)') $(if $(INSTANT),--instant)

bench: .venv/.development  ## what an order costs, beside the floor of this machine: ROUNDS=3
	@$(BIN)/python -m benchmarks.dance $(if $(ROUNDS),--rounds $(ROUNDS))

bench-dashboard: .venv/.development  ## how long its pages take over a million events: EVENTS=1000000
	@$(BIN)/python -m benchmarks.dashboard $(if $(EVENTS),--events $(EVENTS))

ablation: .venv/.development  ## take each safeguard away, and see its test fail: NAME="inbox"
	@$(BIN)/python -m tests.ablation $(if $(NAME),"$(NAME)")

mutants: .venv/.development  ## change reactions and kit bit by bit, and see a test fail: NAME="shared.shell.*"
	@$(BIN)/python -m tests.mutation $(if $(NAME),"$(NAME)")

load: .venv/.development  ## orders over HTTP, checked afterwards: RATE=300 SECONDS=120 SEED=1 WEB=1
	@$(BIN)/python -m benchmarks.load $(if $(RATE),--rate $(RATE)) $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(WEB),--web)

simulate: .venv/.runtime  ## the real code in every order of things, from a seed: SCHEDULES=100000 SEED=1
	@$(QUARTET) simulate --schedules $(or $(SCHEDULES),100000) $(if $(SEED),--seed $(SEED))

CHAOS = $(BIN)/quartet chaos run $(if $(SEED),--seed $(SEED)) $(if $(SOAK),--soak '$(SOAK)') $(if $(RATE),--rate $(RATE))

chaos: .venv/.runtime  ## break what runs, under load, and audit what is left: NAME=kill-payment SEED=1 SOAK=20m
	@$(CHAOS) $(or $(NAME),--all)

chaos-payment-fail: .venv/.runtime  ## payments are declined, time out, and then the provider is gone
	@$(CHAOS) payment-declines payment-silence payment-gone

status: | $(QUARTET)  ## show every program
	@$(QUARTET) status

logs: | $(QUARTET)  ## show the logs: NAME=order LINES=50 FOLLOW=1
	@$(QUARTET) logs $(NAME) $(if $(LINES),--lines $(LINES)) $(if $(FOLLOW),--follow)

migrate: $(RUNTIME)  ## bring the schema of every service up to date
	@$(QUARTET) migrate

down: | $(QUARTET)  ## stop everything; the data stays
	@$(QUARTET) down

reset: | $(QUARTET)  ## stop everything, and delete all data, logs and passwords
	@$(QUARTET) reset

lint: .venv/.development  ## style, types, architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: .venv/.development  ## lint, and the unit tests
	@$(BIN)/python -m tests unit

test: .venv/.development  ## check, and every test, on native servers and on those of a Docker engine that answers
	@$(BIN)/python -m tests

format: .venv/.development  ## write the code as it should look
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

lock:  ## resolve the dependencies anew (needs uv)
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) --group dev pyproject.toml -o requirements-dev.txt

# What is installed is stamped, and installed again only when the lock or the project's own description changes.

define install
	@for python in $(PYTHONS); do \
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

$(BIN)/quartet:
	@$(MAKE) .venv/.runtime
