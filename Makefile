# What one types most while changing things; ./run_tests.sh does all of it from nothing.
PYTHON ?= venv/bin/python

.PHONY: style types test fast

style:  ## lint and layout, mended where that is safe
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types:
	$(PYTHON) -m mypy

test:  ## everything, some minutes
	$(PYTHON) -m pytest

fast:  ## all but the slow tests on all cores, under a minute
	$(PYTHON) -m pytest -n auto -m "not slow"
