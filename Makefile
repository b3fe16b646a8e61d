# What one types most while changing things; ./run_tests.sh does all of it from nothing.
PYTHON ?= venv/bin/python

.PHONY: style types test fast

style:  ## lint and layout, mended where that is safe
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types:
	$(PYTHON) -m mypy

test:  ## everything, a quarter of an hour on two cores
	./run_tests.sh

fast:  ## all but the slow tests on all cores, under a minute
	$(PYTHON) -m pytest -n auto --maxprocesses 8 -m "not slow"
