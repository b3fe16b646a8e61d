"""Score a model, or anyone's predictions, on annotated pictures."""

import argparse
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.path_flags import add_paths
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from text_spotting.annotations.problems import Problems
    from text_spotting.cli.weights import LoadedSpotter
    from text_spotting.evaluation.characters import Reading
    from text_spotting.evaluation.runs import AnnotatedSet, Run
    from text_spotting.evaluation.thresholds import Thresholds
    from text_spotting.words import Word

DEFAULT_METRICS = "f1,word_spotting,ic15_detection,ic15_word_spotting,ic15_end_to_end"
SEARCHED_METRIC = "ic15_word_spotting"
"""What ``--thresholds search`` maximises."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_paths(parser, "--test-ann-files", "comma-separated COCO-with-text files or patterns", required=True)
    add_paths(parser, "--test-data-roots", "comma-separated picture folders, one for each file", required=True)
    parser.add_argument("--strict", action="store_true", help="end at the first oddity of the annotations")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--load-weights", type=Path, help="model to run: .pth, or exported .xml, .bin or .onnx")
    source.add_argument(
        "--from-predictions",
        type=Path,
        metavar="FILE|DIR",
        help="score these predictions instead: our JSON, or a folder of ICDAR files res_<picture>.txt",
    )
    _add_scoring(parser)
    _add_outputs(parser)
    parser.add_argument("--workers", type=int, default=2, help="threads that read pictures ahead (default: 2)")
    parser.add_argument("--device", help="where the model runs: CPU, GPU, cuda:0, ... (default: CPU, cuda with a GPU)")
    parser.add_argument(
        "--precision", help="what an OpenVINO model computes in: f32, bf16 or f16 (default: f32, as snapshots do)"
    )
    parser.add_argument(
        "--tiles", default="none", metavar="auto|none", help="read large pictures tile by tile too (default: none)"
    )
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics",
        default=DEFAULT_METRICS,
        help=f"comma-separated metrics (default: {DEFAULT_METRICS}; also e2e_recognition)",
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
        help="also score readings moved to a lexicon: a word list for all pictures, or a folder of voc_<picture>.txt; "
        "KIND is generic, weak or strong (default: by size); may be given several times",
    )
    parser.add_argument(
        "--cropped-words",
        action="store_true",
        help="every picture is one word: also report word accuracy and character error rate",
    )
    parser.add_argument(
        "--thresholds",
        metavar="search|DET,TEXT",
        help="least detection and text scores; 'search' finds them on another set, given by the --search flags",
    )
    add_paths(parser, "--search-ann-files", "annotation files of the set to search thresholds on")
    add_paths(parser, "--search-data-roots", "their picture folders")
    parser.add_argument(
        "--search-predictions", type=Path, metavar="FILE|DIR", help="predictions for that set, with --from-predictions"
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save-metrics-to", type=Path, metavar="FILE", help="YAML file to write or update")
    parser.add_argument("--save-output-to", type=Path, metavar="DIR", help="folder for pictures with the words drawn")
    parser.add_argument("--save-predictions", type=Path, metavar="FILE", help="JSON file for the predicted words")
    parser.add_argument("--report", type=Path, metavar="DIR", help="folder for a page that shows what to mend")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE|DIR",
        help="predictions of an earlier run on the same pictures: say what got better and what worse",
    )


def run(args: argparse.Namespace) -> None:
    """Predict or read predictions, score, print, and write what was asked for."""
    from text_spotting.annotations.problems import Problems
    from text_spotting.evaluation.lexicon import read_lexicon
    from text_spotting.evaluation.runs import measure
    from text_spotting.evaluation.tables import comparison_table, score_table

    _check(args)
    problems = Problems(strict=args.strict)
    test_set = _read_set(args.test_ann_files, args.test_data_roots, problems)
    _require_words(test_set, args.test_ann_files)
    lexicons = [read_lexicon(option, test_set.names) for option in args.lexicon]
    earlier = _read_predictions(args.compare, test_set) if args.compare else None
    model = _load(args) if args.load_weights else None
    thresholds = _choose_thresholds(args, model, problems)
    predictions, broken = _predict(args, model, test_set, thresholds, problems)
    if broken:
        whole = [path not in broken for path in test_set.paths]
        test_set, lexicons = test_set.keep(whole), [one.keep(whole) for one in lexicons]
        predictions, earlier = list(compress(predictions, whole)), earlier and list(compress(earlier, whole))
    metrics = _metric_names(args)
    source: Path = args.load_weights or args.from_predictions
    fold = _folds_case(args, model)
    result = measure(str(source), test_set, predictions, metrics, lexicons, fold)
    before = measure(str(args.compare), test_set, earlier, metrics, lexicons, fold) if earlier else None
    print(score_table(result))
    if before:
        print(comparison_table(before, result))
    if args.cropped_words:
        _print_cropped(result)
    _save(args, source, model, result, before)
    problems.raise_unreadable()


def _require_words(test_set: "AnnotatedSet", source: object) -> None:
    """A score over no word at all would be 0 or 100 as one likes."""
    words = [word for words in test_set.truth for word in words]
    if not any(not word.ignore for word in words):
        raise UserError(
            f"{source}: nothing to score: none of the {len(words)} words in {len(test_set.paths)} pictures counts"
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
        "save_output_to": args.save_output_to and args.save_output_to / "picture.jpg",
        "report": args.report and args.report / PAGE_NAME,
    }
    for option, path in outputs.items():
        if path:
            require_writable(path, option)
    if args.save_metrics_to:
        read_metrics_file(args.save_metrics_to)


def _load(args: argparse.Namespace) -> "LoadedSpotter":
    from text_spotting.cli.weights import load_spotter
    from text_spotting.runtime.tiles import parse_tiles

    model = load_spotter(args.load_weights, args.config, args.device, args.trust_snapshot, args.precision)
    return model.tiled() if parse_tiles(args.tiles) else model


def _metric_names(args: argparse.Namespace) -> list[str]:
    return [name.strip() for name in args.metrics.split(",")]


def _folds_case(args: argparse.Namespace, model: "LoadedSpotter | None") -> bool:
    """Whether readings in another case are right: unless the model tells cases apart, or the flag says so."""
    if args.case_sensitive is not None:
        return not args.case_sensitive
    return model is None or model.fold_case


def _read_set(ann_files: "str | list[str]", data_roots: "str | list[str]", problems: "Problems") -> "AnnotatedSet":
    """Read an annotated set and say what was odd about it."""
    import sys

    from text_spotting.annotations.dataset_file import read_datasets
    from text_spotting.evaluation.predictions import picture_names
    from text_spotting.evaluation.runs import AnnotatedSet

    before = len(problems)
    images = read_datasets(ann_files, data_roots, problems)
    if len(problems) > before:
        print(problems.summary(), file=sys.stderr)
    paths = [image.path for image in images]
    sizes = [(image.width, image.height) for image in images]
    return AnnotatedSet(picture_names(paths), paths, sizes, [image.words for image in images])


def _read_predictions(source: Path, test_set: "AnnotatedSet") -> "list[list[Word]]":
    import sys

    from text_spotting.evaluation.predictions import pair_predictions, read_predictions

    predictions, warnings = pair_predictions(read_predictions(source), test_set.names, test_set.sizes, source)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return predictions


def _predict(
    args: argparse.Namespace,
    model: "LoadedSpotter | None",
    test_set: "AnnotatedSet",
    thresholds: "Thresholds | None",
    problems: "Problems",
) -> "tuple[list[list[Word]], set[Path]]":
    """Words of every picture, from the model or the prediction file, saved as they come; and the broken pictures."""
    from contextlib import nullcontext

    from text_spotting.evaluation.predictions import prediction_records
    from text_spotting.files.writing import JsonObjectWriter

    broken: set[Path] = set()
    found = _found(args, model, args.from_predictions, test_set, problems, broken)
    predictions = []
    with JsonObjectWriter(args.save_predictions) if args.save_predictions else nullcontext() as saved:
        for name, words in zip(test_set.names, found, strict=True):
            kept = thresholds.apply([words])[0] if thresholds else words
            predictions.append(kept)
            if saved:
                saved.add(name, prediction_records(kept))
    return predictions, broken


def _found(
    args: argparse.Namespace,
    model: "LoadedSpotter | None",
    source: Path,
    test_set: "AnnotatedSet",
    problems: "Problems",
    broken: "set[Path]",
) -> "Iterable[list[Word]]":
    """Words as the model or the file has them; a picture that cannot be read joins ``broken`` and costs no other."""
    from text_spotting.cli.progress import track
    from text_spotting.evaluation.inference import spot_pictures

    if model is None:
        return _read_predictions(source, test_set)

    def leave_out(path: Path, error: UserError) -> None:
        broken.add(path)
        problems.add_unreadable("picture cannot be read: left out of the score", error)

    found = spot_pictures(model.spotter, test_set.paths, readers=args.workers, on_broken=leave_out)
    return track(found, len(test_set.paths), "spotting")


def _choose_thresholds(
    args: argparse.Namespace, model: "LoadedSpotter | None", problems: "Problems"
) -> "Thresholds | None":
    """Thresholds given or found on the search set; None to leave the predictions as they come."""
    from text_spotting.cli.progress import track
    from text_spotting.evaluation.protocols import PROTOCOLS
    from text_spotting.evaluation.thresholds import GRID, parse_thresholds, search_thresholds

    if not args.thresholds:
        return None
    given = parse_thresholds(args.thresholds)
    if model:
        model.open_thresholds()
    if given:
        return given
    if not (args.search_ann_files and args.search_data_roots and (model or args.search_predictions)):
        raise UserError(
            "--thresholds search needs a set of its own, for thresholds found on the test set flatter the model: "
            "add --search-ann-files and --search-data-roots, and with --from-predictions also --search-predictions"
        )
    search_set = _read_set(args.search_ann_files, args.search_data_roots, problems)
    predictions = list(_found(args, model, args.search_predictions, search_set, problems, set()))
    rules = PROTOCOLS[SEARCHED_METRIC]
    found, score = search_thresholds(
        search_set.truth, predictions, rules, lambda grid: track(grid, len(GRID), "searching thresholds", "step")
    )
    print(
        f"thresholds found on {args.search_ann_files} ({len(search_set.paths)} pictures): detection {found.detection}, "
        f"text {found.text}; {rules.title} there {score.hmean * 100:.2f}; applied to {args.test_ann_files}"
    )
    return found


def _crop_readings(result: "Run") -> "list[Reading]":
    from text_spotting.evaluation.cropped import crop_readings

    return crop_readings(result.test_set.truth, [picture.predictions for picture in result.pictures])


def _print_cropped(result: "Run") -> None:
    from text_spotting.evaluation.cropped import crop_table

    print(crop_table(_crop_readings(result), result.fold_case))


def _save(
    args: argparse.Namespace, source: Path, model: "LoadedSpotter | None", result: "Run", before: "Run | None"
) -> None:
    from text_spotting.cli.progress import track
    from text_spotting.evaluation.metrics_file import reading_entries, score_entries, size_entries, update_metrics_file
    from text_spotting.evaluation.report import write_report

    if args.save_metrics_to:
        entries = size_entries(model.measure_size()) if model else []
        entries += score_entries(result.metrics)
        if args.cropped_words:
            entries += reading_entries(_crop_readings(result), result.fold_case)
        update_metrics_file(args.save_metrics_to, [source] if source.is_file() else [], entries)
    if args.save_output_to:
        _draw(args.save_output_to, result)
    if args.report:
        count = len(result.pictures)
        page = write_report(args.report, result, before, lambda items: track(items, count, "report"))
        print(f"report: {page}")


def _draw(folder: Path, result: "Run") -> None:
    """Save every picture with found words, missed words and false alarms in the colours of ``draw.Outcome``."""
    from text_spotting.cli.progress import track
    from text_spotting.draw import draw_outcomes
    from text_spotting.evaluation.outcomes import word_outcomes
    from text_spotting.pictures import read_picture, write_picture

    test_set = result.test_set
    rows = zip(test_set.paths, test_set.names, result.pictures, strict=True)
    for path, name, picture in track(rows, len(test_set.paths), "drawing"):
        shown = [(one.word, one.outcome) for one in word_outcomes(picture, result.rules("ic15_end_to_end"))]
        write_picture(folder / f"{name}.jpg", draw_outcomes(read_picture(path), shown))
    print(f"drawn pictures: {folder}")
