#!/usr/bin/env bash
# Put a model into the box, the one that `Spotter()` and `text-spotting read` use, in half precision and in INT8:
#     tools/pack_box.sh TEMPLATE_DIR SNAPSHOT "figures, in a line" CALIBRATION_ANN VALIDATION_ANN DATA_ROOT
# The annotation files' images calibrate INT8 and measure what it loses; take them from several data sets.
set -euo pipefail

template=$1 snapshot=$2 figures=$3 calibration=$4 validation=$5 data=$6
root=$(cd "$(dirname "$0")/.." && pwd)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

export_to() { # export_to FOLDER [flags]
  python "$root/tools/export.py" --config "$template/model.py" --load-weights "$snapshot" --save-model-to "$1" \
      --no-onnx --openvino "${@:2}"
}
export_to "$made/box" --fp16
export_to "$made/full"
python "$root/tools/compress.py" --nncf-quantization --load-weights "$made/full/model.xml" --save-model-to "$made/int8" \
    --train-ann-files "$calibration" --train-data-roots "$data" --val-ann-files "$validation" --val-data-roots "$data"
rm "$made/int8"/compression.*
cp "$made/box"/*_encoder.* "$made/box"/*_decoder.* "$made/int8"
mv "$made/int8" "$made/box"
python - "$made/box/card.json" "$(basename "$(realpath "$template")")" "$figures" <<'PYTHON'
import json
import sys

path, name, figures = sys.argv[1:]
with open(path, "w", encoding="utf-8") as card:
    json.dump({"name": name, "figures": figures, "licence": "Apache 2.0"}, card, indent=2)
    card.write("\n")
PYTHON
rm -rf "$root/text_spotting/box"
cp -r "$made/box" "$root/text_spotting/box"
du -sh "$root/text_spotting/box"
