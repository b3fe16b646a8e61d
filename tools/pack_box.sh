#!/usr/bin/env bash
# Put a model into the box, the one that `Spotter()` and `text-spotting read` use:
#     tools/pack_box.sh TEMPLATE_DIR SNAPSHOT "figures, in a line"
set -euo pipefail

template=$1 snapshot=$2 figures=$3
root=$(cd "$(dirname "$0")/.." && pwd)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

python "$root/tools/export.py" --config "$template/model.py" --load-weights "$snapshot" --save-model-to "$made" \
    --fp16 --no-onnx --openvino
python - "$made/card.json" "$(basename "$(realpath "$template")")" "$figures" <<'PYTHON'
import json
import sys

path, name, figures = sys.argv[1:]
with open(path, "w", encoding="utf-8") as card:
    json.dump({"name": name, "figures": figures, "licence": "Apache 2.0"}, card, indent=2)
    card.write("\n")
PYTHON
rm -rf "$root/text_spotting/box"
mkdir "$root/text_spotting/box"
cp "$made"/* "$root/text_spotting/box/"
du -sh "$root/text_spotting/box"
