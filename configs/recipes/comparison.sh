#!/usr/bin/env bash
# What training data are worth to text-spotting-0003-lite: equal short runs on ICDAR 2015's photos, on rendered images
# and on both, each measured on the development images. Started again, it goes on where it stopped.
#
#   configs/recipes/comparison.sh DATA_ROOT OUTPUT      as for lite.sh, which makes the annotation files in OUTPUT
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
data="$(cd "$1" && pwd)"
out="$(cd "$2" && pwd)"
template="$root/model_templates/alphanumeric-text-spotting/text-spotting-0003-lite"
epochs="$(grep epochs "$template/template.yaml" | tr -dc '0-9')"

python "$root/tools/instantiate_template.py" "$template/template.yaml" "$out/comparison" --do-not-load-snapshot
for run in real:0 synthetic:1 both:0.5; do
  export SYNTHETIC="${run#*:}"
  at="$out/comparison/${run%:*}"
  [ -f "$at/metrics.yaml" ] && continue
  for part in recogniser detector; do
    python "$root/tools/run_recipe.py" "$here/comparison_$part.py" --data-root "$data" --ann-root "$out" \
      --save-checkpoints-to "$at/$part" --threads 1
  done
  python "$root/tools/make_snapshot.py" "$at/detector/latest.pth" "$at/recogniser/latest.pth" \
    --config "$template/model.py" --output "$at/snapshot.pth" --epoch "$epochs"
  python "$out/comparison/eval.py" --load-weights "$at/snapshot.pth" --test-ann-files "$out/ic15_dev.json" \
    --test-data-roots "$out" --save-metrics-to "$at/metrics.yaml"
done
