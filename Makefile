# Everything a fresh checkout needs: Python 3.11 or newer, and make.
#   make demo                    the hub at work on the embedded broker     make demo BROKER=rabbitmq   the same on RabbitMQ
#   make test                    all tests, on private servers              make run                    the sample site, until Ctrl-C
#   make bench                   the benchmarks                             make check                  ruff, mypy, hub check
#   make faults                 the whole fault laboratory, on private servers
#   make fuzz MINUTES=10         X12 and partner files against chance
unexport PYTHONDONTWRITEBYTECODE
BROKER ?= embedded
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= 4
MINUTES ?= 10

.PHONY: demo run test faults check format bench fuzz docs clean help

help:
	@sed -n 's/^#   /  /p' Makefile

.venv/.runs: pyproject.toml constraints.txt .ci/venv
	@.ci/venv "." && touch $@

.venv/.tests: pyproject.toml constraints.txt .ci/venv
	@.ci/venv ".[dev]" && touch $@ .venv/.runs

ifeq ($(BROKER),embedded)
demo: .venv/.runs
	@$(BIN)/hub demo
else
demo: .venv/.tests
	@$(BIN)/python -m tests.support.provision rabbitmq
	@$(BIN)/python -m tests.support.with_rabbitmq $(BIN)/hub demo --broker '{url}'
endif

run: .venv/.runs
	@$(BIN)/hub run

test: .venv/.tests
	@$(BIN)/python -m tests.support.provision
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not laboratory" $(TESTS)

faults: .venv/.tests
	@$(BIN)/python -m tests.support.provision
	@$(BIN)/python -m tests.support.provision faketime namespaces
	@$(BIN)/python -m pytest -n 2 --dist loadgroup tests/faults

check: .venv/.tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && ERP_URL=http://127.0.0.1:8026 ERP_TOKEN=x $(BIN)/hub check

format: .venv/.tests
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: .venv/.tests
	@$(BIN)/python -m tests.support.provision rabbitmq
	@$(BIN)/python -m benchmarks

fuzz: .venv/.tests
	@MINUTES=$(MINUTES) $(BIN)/python -m tests.fuzz

docs: .venv/.runs
	@$(BIN)/hub schema --write config/schemas
	@$(BIN)/python docs/generate.py

clean:
	rm -rf .venv var build *.egg-info .mypy_cache .ruff_cache .pytest_cache
