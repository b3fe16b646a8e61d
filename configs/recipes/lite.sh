#!/usr/bin/env bash
# All stages of text-spotting-0003-lite, from data sets to the snapshot. Started again, it goes on where it stopped.
#
#   configs/recipes/lite.sh DATA_ROOT OUTPUT      the environment must be active and have rapidocr (pip install rapidocr);
#                                                 DATA_ROOT is laid out as lite's README tells
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
data="$(cd "$1" && pwd)"
mkdir -p "$2"
out="$(cd "$2" && pwd)"
template="$root/model_templates/alphanumeric-text-spotting/text-spotting-0003-lite"

for set in ic15_train ic15_dev ic03 mlt words; do
  [ -f "$out/$set.json" ] || python "$root/tools/create_dataset.py" --config "$here/$set.json" --root "$data" --output "$out/$set.json"
done
[ -f "$out/mlt_pseudo.json" ] || python "$root/tools/pseudo_label.py" --ann-file "$out/mlt.json" --output "$out/mlt_pseudo.json"

stage() { # stage NAME [flags of run_recipe.py]
  [ -f "$out/$1/done" ] && return
  python "$root/tools/run_recipe.py" "$here/lite_$1.py" --data-root "$data" --ann-root "$out" --save-checkpoints-to "$out/$1" "${@:2}"
  touch "$out/$1/done"
}
stage recogniser
stage small_words --load-weights "$out/recogniser/latest.pth"
stage more_words --load-weights "$out/small_words/latest.pth"
stage loose_words --load-weights "$out/more_words/latest.pth"
stage detector
stage more_detector --load-weights "$out/detector/latest.pth"
epochs="$(grep epochs "$template/template.yaml" | tr -dc '0-9')"
python "$root/tools/make_snapshot.py" "$out/more_detector/latest.pth" "$out/loose_words/latest.pth" \
  --config "$template/model.py" --output "$out/snapshot.pth" --epoch "$epochs"
