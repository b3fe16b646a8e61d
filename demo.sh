#!/usr/bin/env bash
# The whole road of README.md on the project's own small set of images, from nothing:
# set up, instantiate lite, evaluate its snapshot, fine-tune, export, evaluate the exported model, draw.
#
#   ./demo.sh [dir]      results go to dir (default: demo_output beside this script), which is emptied first
#
# VENV      another environment than venv beside this script
# PICTURES  how many of the 16 images to take (default: all)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
venv="${VENV:-$here/venv}"
out="${1:-$here/demo_output}"
data="$here/data/horizontal_text_detection"
template="$here/model_templates/alphanumeric-text-spotting/text-spotting-0003-lite/template.yaml"

"$here/init_venv.sh" "$venv"
python="$(cd "$venv" && pwd)/bin/python"

if [ -e "$out" ] && [ -n "$(ls -A "$out")" ] && [ ! -d "$out/work_dir" ]; then
  printf 'error: %s is not empty and no result of this demo; name another directory\n' "$out" >&2
  exit 2
fi
rm -rf "$out"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
work="$out/work_dir"

if [ -n "${PICTURES:-}" ]; then
  mkdir -p "$out/data/images"
  "$python" - "$data" "$out/data" "$PICTURES" <<'EOF'
import json
import sys
from pathlib import Path

source, target, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
content = json.loads((source / "annotation.json").read_text(encoding="utf-8"))
content["images"] = content["images"][:count]
kept = {image["id"] for image in content["images"]}
content["annotations"] = [word for word in content["annotations"] if word["image_id"] in kept]
(target / "annotation.json").write_text(json.dumps(content), encoding="utf-8")
for image in content["images"]:
    (target / image["file_name"]).symlink_to(source / image["file_name"])
EOF
  data="$out/data"
fi

step() { # step TITLE COMMAND...
  local started=$SECONDS
  printf '\n== %s\n' "$1"
  shift
  "$@"
  printf '   (%d s)\n' $((SECONDS - started))
}
evaluate() { # evaluate WEIGHTS METRICS
  "$python" "$work/eval.py" --test-ann-files "$data/annotation.json" --test-data-roots "$data" \
    --load-weights "$1" --save-metrics-to "$2"
}
train() {
  "$python" "$work/train.py" --load-weights "$work/snapshot.pth" --epochs 1 --save-checkpoints-to "$out/training" \
    --train-ann-files "$data/annotation.json" --train-data-roots "$data" \
    --val-ann-files "$data/annotation.json" --val-data-roots "$data"
}

started=$SECONDS
step "Instantiate text-spotting-0003-lite" "$python" "$here/tools/instantiate_template.py" "$template" "$work"
step "Evaluate its snapshot" evaluate "$work/snapshot.pth" "$out/before.yaml"
step "Fine-tune it for one epoch" train
step "Evaluate the fine-tuned model" evaluate "$out/training/latest.pth" "$out/after.yaml"
step "Export it" "$python" "$work/export.py" --load-weights "$out/training/latest.pth" --save-model-to "$out/export"
step "Evaluate the exported model with OpenVINO" evaluate "$out/export/model.bin" "$out/exported.yaml"
step "Draw what it reads" "$python" "$work/visualize.py" --load-weights "$out/export/model.bin" \
  --images "$data/images" --output "$out/drawn" --save-json "$out/words.json" --no-show

printf '\n%-34s %8s %14s\n' "on the toy set" "F1, %" "spotting, %"
for row in "before.yaml:snapshot" "after.yaml:after one epoch" "exported.yaml:the same, OpenVINO"; do
  "$python" - "$out/${row%%:*}" "${row#*:}" <<'EOF'
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    values = {metric["key"]: metric["value"] for metric in yaml.safe_load(file)["metrics"]}
print(f"{sys.argv[2]:<34} {values['f1']:8.2f} {values['word_spotting']:14.2f}")
EOF
done
printf '\nImages: %s\nAll took %d s after set-up.\n' "$out/drawn" $((SECONDS - started))
