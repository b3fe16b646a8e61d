#!/usr/bin/env bash
# Lint, types and tests from nothing: sets the environment up first where needed.
#
#   ./run_tests.sh [pytest arguments]      VENV names another environment than venv beside this script
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
venv="${VENV:-$here/venv}"

"$here/init_venv.sh" "$venv"
cd "$here"
set -x
"$venv/bin/python" -m ruff check .
"$venv/bin/python" -m ruff format --check .
"$venv/bin/python" -m mypy
if [ $# -gt 0 ]; then
  "$venv/bin/python" -m pytest "$@"
else
  many=(tests/test_processes.py tests/test_read_many.py)  # Ray and Arrow get a process of their own
  "$venv/bin/python" -m pytest -n auto --maxprocesses 8 -m "not slow" "${many[@]/#/--ignore=}"
  # Two files at a time: what trains takes several cores and some GB by itself.
  "$venv/bin/python" -m pytest -n 2 --dist loadfile -m slow "${many[@]/#/--ignore=}"
  "$venv/bin/python" -m pytest "${many[@]}"
fi
