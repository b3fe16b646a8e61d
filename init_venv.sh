#!/usr/bin/env bash
# Make, complete or refresh the Python environment. Safe to run again at any time: finished steps are passed over.
#
#   ./init_venv.sh [dir]        dir defaults to venv beside this script
#
# PYTHON         interpreter to use, 3.11 to 3.13 (default: the first such on the PATH)
# EXTRA          "many" adds what read_many.py needs, Ray and pyarrow: 0.2 GB
# PIP_FIND_LINKS folders with ready wheels, e.g. a CPU-only torch; nothing is compiled without them either
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
say() { printf '%s\n' "-- $*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 2; }

case "${1:-}" in
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  -*) die "unknown option $1; usage: init_venv.sh [dir]" ;;
esac
case "${EXTRA:-}" in '' | many) ;; *) die "EXTRA=$EXTRA is not known; the only one is many" ;; esac
[ $# -le 1 ] || die "one directory at most, got $#; usage: init_venv.sh [dir]"
venv="${1:-$here/venv}"
lock="$here/constraints.txt"

is_wanted_python() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
  if [ -n "${PYTHON:-}" ]; then
    is_wanted_python "$PYTHON" || die "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13, which the pinned packages are made for"
    echo "$PYTHON"
    return
  fi
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3 python; do
    if is_wanted_python "$candidate"; then echo "$candidate"; return; fi
  done
  die "no Python 3.11 to 3.13 on the PATH (found: $(python3 --version 2>&1 || true)); install one, or name it with PYTHON=/path/to/python3"
}

make_venv() {
  if [ -x "$venv/bin/python" ]; then
    is_wanted_python "$venv/bin/python" || die "$venv exists but its Python is not 3.11, 3.12 or 3.13; choose another directory or delete it"
    return
  fi
  local interpreter
  interpreter="$(find_python)"
  say "making $venv"
  "$interpreter" -m venv "$venv" || die "$interpreter cannot make environments here; on Debian and Ubuntu install python3-venv"
}

make_venv
venv="$(cd "$venv" && pwd)"
py="$venv/bin/python"
pip() { "$py" -m pip --disable-pip-version-check --no-input "$@"; }
locked() { sed -n "s/^$1==//p" "$lock"; }
installed() { "$py" -I -c 'import sys, importlib.metadata as m; print(m.version(sys.argv[1]))' "$1" 2>/dev/null || true; }

milestones() { grep -oE '^ *(\[[0-9]+/[0-9]+\]|(Collecting|Downloading|Building|Installing) .*)' "$1" || true; }

# watched LOG COMMAND...: run it with its output in LOG, show LOG's last milestone now and then, and all its end on failure.
watched() {
  local log="$1" pid seconds
  shift
  set -m # a process group of its own, so that Ctrl-C ends what pip starts as well
  "$@" >"$log" 2>&1 &
  pid=$!
  set +m
  trap 'kill -- "-$pid" 2>/dev/null || true; exit 130' INT TERM
  for ((seconds = 1; ; seconds++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 1
    ((seconds % 15)) || printf '   %3d s: %.100s\n' "$seconds" "$(milestones "$log" | tail -n 1)"
  done
  trap - INT TERM
  if wait "$pid"; then return; fi
  tail -n 20 "$log" >&2
  die "that failed; the whole output is in $log. Mend the cause and run this again: finished steps are passed over"
}

install_torch() {
  local want have
  want="$(locked torch)"
  have="$(installed torch)"
  if [ "${have%%+*}" = "$want" ] && "$py" -I -c 'import torch' 2>/dev/null; then return; fi
  say "installing torch $want: 0.2 GB where a CPU-only wheel is found, about 3 GB with CUDA; some minutes"
  watched "$venv/setup.log" pip install -c "$lock" "torch==$want"
}

# Names of the lock that are not installed at their version; whichever build of OpenCV loads here counts as OpenCV.
missing() {
  "$py" -I - "$lock" "${EXTRA:-}" <<'EOF'
import importlib.metadata as metadata
import pathlib
import sys

have = {d.name.lower().replace("_", "-"): d.version for d in metadata.distributions()}
have.setdefault("opencv-python", have.get("opencv-python-headless"))
elsewhere = ("torch", "onedl-mmcv", "opencv-python-headless")
everywhere, extra = pathlib.Path(sys.argv[1]).read_text().split("\n# --- many", 1)
for line in (everywhere + extra * (sys.argv[2] == "many")).splitlines():
    name, _, version = line.partition("==")
    if version and name not in elsewhere and have.get(name.lower().replace("_", "-")) != version:
        print(line)
EOF
}

# The list is complete, so nothing is resolved: --no-deps keeps out the second OpenCV that metadata asks for.
install_locked() {
  local wanted="$venv/missing.txt"
  missing >"$wanted"
  if [ -s "$wanted" ]; then
    say "installing $(wc -l <"$wanted") pinned packages: all of them are about 0.4 GB, 1 to 3 minutes"
    watched "$venv/setup.log" pip install --no-deps -r "$wanted"
  fi
  rm -f "$wanted"
}

# opencv-python wants libGL. Where it is missing, the build without windows does everything but show them.
check_opencv() {
  if "$py" -I -c 'import cv2' 2>/dev/null; then return; fi
  say "opencv-python does not load here ($("$py" -I -c 'import cv2' 2>&1 | tail -n 1)); installing its build without windows"
  pip uninstall --quiet --yes opencv-python
  pip install --quiet --no-deps "opencv-python-headless==$(locked opencv-python)"
}

# Whether NMS and RoIAlign run here, on the GPU too where there is one, compiled or not.
mmcv_works() {
  "$py" -I - "$here" <<'EOF' 2>/dev/null
import sys

sys.path.insert(0, sys.argv[1])
import torch

import text_spotting.ops
from mmcv.ops import nms, roi_align

device = "cuda" if torch.cuda.is_available() else "cpu"
boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 4.0]], device=device)
assert len(nms(boxes, torch.tensor([0.9, 0.8], device=device), 0.5)[1]) == 1
regions = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]], device=device)
assert roi_align(torch.ones(1, 1, 8, 8, device=device), regions, (2, 2)).shape == (1, 1, 2, 2)
EOF
}

# Nothing is compiled: the package's setup finds no torch in pip's build environment and leaves the operators out.
# A ready wheel with operators in PIP_FIND_LINKS is taken instead, as long as they load and fit the GPU.
install_mmcv() {
  local version
  version="$(locked onedl-mmcv)"
  if [ "$(installed onedl-mmcv)" = "$version" ] && mmcv_works; then return; fi
  say "installing mmcv $version, without compiled operators unless a ready wheel has them"
  watched "$venv/setup.log" env -u PYTHONPATH "$py" -m pip install --no-deps --force-reinstall "onedl-mmcv==$version"
  if mmcv_works; then return; fi
  say "its ready wheel does not work here; installing it without compiled operators"
  watched "$venv/setup.log" env -u PYTHONPATH "$py" -m pip install --no-deps --force-reinstall --no-cache-dir \
    --no-binary onedl-mmcv "onedl-mmcv==$version"
  mmcv_works || die "mmcv does not load; run $py -c 'import text_spotting.ops, mmcv.ops' to see why"
}

install_project() {
  local origin
  origin="$("$py" -I -c 'import importlib.util as u; print(u.find_spec("text_spotting").origin)' 2>/dev/null || true)"
  if [ "$origin" = "$here/text_spotting/__init__.py" ]; then return; fi
  say "installing the project itself (editable)"
  pip install --quiet --no-deps --no-build-isolation --editable "$here"
}

install_torch
install_locked
check_opencv
install_mmcv
install_project
rm -f "$venv/setup.log"
say "ready. Activate it with:  source \"$venv/bin/activate\""
