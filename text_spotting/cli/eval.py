"""Score a model, or anyone's predictions, on annotated images."""

import argparse
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.path_flags import add_paths
from text_spotting.errors import UserError
from text_spotting.evaluation.protocols import DEFAULT_METRICS

if TYPE_CHECKING:
    from text_spotting.cli.weights import LoadedSpotter
    from text_spotting.evaluation.runs import AnnotatedSet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_paths(parser, "--test-ann-files", "comma-separated COCO-with-text files or patterns", required=True)
    add_paths(parser, "--test-data-roots", "comma-separated image folders, one for each file", required=True)
    parser.add_argument("--strict", action="store_true", help="end at the first oddity of the annotations")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--load-weights", type=Path, help="model to run: .pth, or exported .xml, .bin or .onnx")
    source.add_argument(
        "--from-predictions",
        type=Path,
        metavar="FILE|DIR",
        help="score these predictions instead: our JSON, a folder of ICDAR files res_<image>.txt, or what read_many "
        "wrote",
    )
    _add_scoring(parser)
    _add_outputs(parser)
    parser.add_argument("--workers", type=int, default=2, help="threads that read images ahead (default: 2)")
    parser.add_argument("--device", help="where the model runs: CPU, GPU, cuda:0, ... (default: CPU, cuda with a GPU)")
    parser.add_argument(
        "--precision", help="what an OpenVINO model computes in: f32, bf16 or f16 (default: f32, as snapshots do)"
    )
    parser.add_argument(
        "--tiles", default="none", metavar="auto|none", help="read large images tile by tile too (default: none)"
    )
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics",
        default=",".join(DEFAULT_METRICS),
        help=f"comma-separated metrics (default: {','.join(DEFAULT_METRICS)}; also e2e_recognition)",
    )
    parser.add_argument(
        "--case-sensitive",
        action=argparse.BooleanOptionalAction,
        help="a reading in another case is wrong (default: where the model's alphabet tells cases apart)",
    )
    parser.add_argument(
        "--lexicon",
        action="append",
        default=[],
        metavar="[KIND=]FILE|DIR",
        help="also score readings moved to a lexicon: a word list for all images, or a folder of voc_<image>.txt; "
        "KIND is generic, weak or strong (default: by size); may be given several times",
    )
    parser.add_argument(
        "--cropped-words",
        action="store_true",
        help="every image is one word: also report word accuracy and character error rate",
    )
    parser.add_argument(
        "--thresholds",
        metavar="search|DET,TEXT",
        help="least detection and text scores; 'search' finds them on another set, given by the --search flags",
    )
    add_paths(parser, "--search-ann-files", "annotation files of the set to search thresholds on")
    add_paths(parser, "--search-data-roots", "their image folders")
    parser.add_argument(
        "--search-predictions", type=Path, metavar="FILE|DIR", help="predictions for that set, with --from-predictions"
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save-metrics-to", type=Path, metavar="FILE", help="YAML file to write or update")
    parser.add_argument("--save-output-to", type=Path, metavar="DIR", help="folder for images with the words drawn")
    parser.add_argument("--save-predictions", type=Path, metavar="FILE", help="JSON file for the predicted words")
    parser.add_argument("--report", type=Path, metavar="DIR", help="folder for a page that shows what to mend")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE|DIR",
        help="predictions of an earlier run on the same images: say what got better and what worse",
    )


def run(args: argparse.Namespace) -> None:
    """Predict or read predictions, score, print, and write what was asked for."""
    from text_spotting.annotations.problems import Problems
    from text_spotting.cli.eval_outputs import print_cropped, save
    from text_spotting.cli.eval_predictions import (
        choose_thresholds,
        load_model,
        predict,
        read_predictions_for,
        read_set,
    )
    from text_spotting.evaluation.lexicon import read_lexicon
    from text_spotting.evaluation.runs import measure
    from text_spotting.evaluation.tables import comparison_table, score_table

    _check(args)
    problems = Problems(strict=args.strict)
    test_set = read_set(args.test_ann_files, args.test_data_roots, problems)
    _require_words(test_set, args.test_ann_files)
    lexicons = [read_lexicon(option, test_set.names) for option in args.lexicon]
    earlier = read_predictions_for(args.compare, test_set) if args.compare else None
    model = load_model(args) if args.load_weights else None
    fold = _folds_case(args, model)
    thresholds = choose_thresholds(args, model, problems, fold)
    predictions, broken = predict(args, model, test_set, thresholds, problems)
    if broken:
        whole = [path not in broken for path in test_set.paths]
        test_set, lexicons = test_set.keep(whole), [one.keep(whole) for one in lexicons]
        predictions, earlier = list(compress(predictions, whole)), earlier and list(compress(earlier, whole))
    metrics = _metric_names(args)
    source: Path = args.load_weights or args.from_predictions
    result = measure(str(source), test_set, predictions, metrics, lexicons, fold)
    before = measure(str(args.compare), test_set, earlier, metrics, lexicons, fold) if earlier else None
    print(score_table(result))
    if before:
        print(comparison_table(before, result))
    if args.cropped_words:
        print_cropped(result)
    save(args, source, model, result, before)
    problems.raise_unreadable()


def _require_words(test_set: "AnnotatedSet", source: object) -> None:
    """A score over no word at all would be 0 or 100 as one likes."""
    words = [word for words in test_set.truth for word in words]
    if not any(not word.ignore for word in words):
        raise UserError(
            f"{source}: nothing to score: none of the {len(words)} words in {len(test_set.paths)} images counts"
        )


def _check(args: argparse.Namespace) -> None:
    """Find mistakes before the long work starts."""
    from text_spotting.evaluation.metrics_file import read_metrics_file
    from text_spotting.evaluation.protocols import protocol
    from text_spotting.evaluation.report import PAGE_NAME
    from text_spotting.files.writing import require_writable

    for name in _metric_names(args):
        protocol(name)
    if args.workers < 1:
        raise UserError(f"--workers {args.workers}: must be 1 or more")
    outputs = {
        "save_metrics_to": args.save_metrics_to,
        "save_predictions": args.save_predictions,
        "save_output_to": args.save_output_to and args.save_output_to / "image.jpg",
        "report": args.report and args.report / PAGE_NAME,
    }
    for option, path in outputs.items():
        if path:
            require_writable(path, option)
    if args.save_metrics_to:
        read_metrics_file(args.save_metrics_to)


def _metric_names(args: argparse.Namespace) -> list[str]:
    return [name.strip() for name in args.metrics.split(",")]


def _folds_case(args: argparse.Namespace, model: "LoadedSpotter | None") -> bool:
    """Whether readings in another case are right: unless the model tells cases apart, or the flag says so."""
    if args.case_sensitive is not None:
        return not args.case_sensitive
    return model is None or model.fold_case
