#!/usr/bin/env bash
# The detector and the reader of text-spotting-0003-lite, trained on one fast card (an H100, 80 GB) in half an hour.
# Started again, it goes on where it stopped. docs/experiments/card.md tells what came of it.
#
#   configs/recipes/card.sh DATA_ROOT OUTPUT      the environment must be active and have rapidocr
#                                                 (pip install --no-deps rapidocr==3.10.0); DATA_ROOT is laid out as
#                                                 lite's README tells
#
# SECONDS_EACH (default 1330) is the time that the three runs take side by side. DETECTOR, READER and PACK add flags
# to train_on_card.py and pack_shards.py; in miniature on a CPU:
#
#   SECONDS_EACH=5 DETECTOR="--batch 1 --renderers 1 --momentum 0.01" \
#   READER="--batch 8 --held 500 --renderers 1 --momentum 0.01 --frozen 2" configs/recipes/card.sh ...
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
data="$(cd "$1" && pwd)"
mkdir -p "$2"
out="$(cd "$2" && pwd)"
template="$root/model_templates/alphanumeric-text-spotting/text-spotting-0003-lite"
former="$template/snapshot.pth"

for set in ic15_train ic03 mlt card_crops card_iiit5k; do
  [ -f "$out/$set.json" ] || python "$root/tools/create_dataset.py" --config "$here/$set.json" --root "$data" --output "$out/$set.json"
done
[ -f "$out/mlt_pseudo.json" ] || python "$root/tools/pseudo_label.py" --ann-file "$out/mlt.json" --output "$out/mlt_pseudo.json"

if [ ! -d "$out/shards" ]; then
  rm -rf "$out/shards.part"
  # ICDAR 2015's photos may lie there squeezed; they are 1280x720 by rights.
  # shellcheck disable=SC2086
  python "$root/tools/pack_shards.py" --output "$out/shards.part" ${PACK:-} \
    --photos "ic15=$out/ic15_train.json@1280x720" "ic03=$out/ic03.json" "mlt=$out/mlt_pseudo.json" \
    --words "ic03=$out/ic03.json" "mlt=$out/mlt_pseudo.json" \
    --crops "ic15=$out/card_crops.json,$out/ic15_train.json" --all-crops "iiit5k=$out/card_iiit5k.json"
  mv "$out/shards.part" "$out/shards"
fi

if [ ! -f "$out/first_reader.pth" ]; then
  python "$root/tools/train_on_card.py" first-reader --config "$template/model.py" --load-weights "$former" \
    --output "$out/first_reader.pth"
fi

runs=()
trap 'kill ${runs[@]+"${runs[@]}"} 2>/dev/null || true' EXIT
on_card() { # on_card PART NAME [flags of train_on_card.py]: starts what ends in NAME.pth
  [ -f "$out/$2.pth" ] && return
  local pictures=()
  [ -d "$data/backgrounds" ] && pictures=(--backgrounds "$data/backgrounds")
  python "$root/tools/train_on_card.py" "$1" --config "$template/model.py" --output "$out/$2.pth" \
    --state "$out/$2.state" --shards "$out/shards" --seconds "${SECONDS_EACH:-1330}" \
    ${pictures[@]+"${pictures[@]}"} "${@:3}" &
  runs+=($!)
}
# shellcheck disable=SC2086
{
  on_card detector detector_0 --load-weights "$former" --seed 0 --held 1900 ${DETECTOR:-}
  on_card detector detector_1 --load-weights "$former" --seed 5 --held 1900 --rate 1e-3 ${DETECTOR:-}
  on_card reader reader --load-weights "$out/first_reader.pth" --seed 3 --batch 640 --renderers 5 ${READER:-}
}
for run in ${runs[@]+"${runs[@]}"}; do wait "$run"; done
runs=()

epochs="$(grep epochs "$template/template.yaml" | tr -dc '0-9')"
python "$root/tools/make_snapshot.py" --config "$template/model.py" --output "$out/mean.pth" --epoch "$epochs" \
  --mean "$out/detector_0.pth:0.35" "$out/detector_1.pth:0.35" "$former:0.3" \
  --mean "$out/reader.pth:0.85" "$out/first_reader.pth:0.15"
python "$root/tools/train_separator.py" --config "$template/model.py" --load-weights "$out/mean.pth" \
  --train-ann-files "$out/ic15_train.json,$out/ic03.json,$out/mlt.json" --output "$out/snapshot.pth"
