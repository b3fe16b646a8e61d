"""Score a model, or anyone's predictions, on annotated pictures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.annotations.records import AnnotatedImage
    from text_spotting.evaluation.evaluate import Score
    from text_spotting.evaluation.lexicon import Lexicon
    from text_spotting.evaluation.metrics_file import Entry
    from text_spotting.words import Word

DEFAULT_METRICS = "f1,word_spotting,ic15_detection,ic15_word_spotting,ic15_end_to_end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--test-ann-files", required=True, help="comma-separated COCO-with-text files or patterns")
    parser.add_argument("--test-data-roots", required=True, help="comma-separated picture folders, one for each file")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--load-weights", type=Path, help="model to run: .pth, or exported .xml, .bin or .onnx")
    source.add_argument(
        "--from-predictions",
        type=Path,
        metavar="FILE|DIR",
        help="score these predictions instead: our JSON, or a folder of ICDAR files res_<picture>.txt",
    )
    parser.add_argument("--save-metrics-to", type=Path, metavar="FILE", help="YAML file to write or update")
    parser.add_argument("--save-output-to", type=Path, metavar="DIR", help="folder for pictures with the words drawn")
    parser.add_argument("--save-predictions", type=Path, metavar="FILE", help="JSON file for the predicted words")
    parser.add_argument(
        "--metrics",
        default=DEFAULT_METRICS,
        help=f"comma-separated metrics (default: {DEFAULT_METRICS}; also e2e_recognition)",
    )
    parser.add_argument(
        "--lexicon",
        action="append",
        default=[],
        metavar="[KIND=]FILE|DIR",
        help="also score readings moved to a lexicon: a word list for all pictures, or a folder of voc_<picture>.txt; "
        "KIND is generic, weak or strong (default: by size); may be given several times",
    )
    parser.add_argument("--workers", type=int, default=2, help="threads that read pictures ahead (default: 2)")
    parser.add_argument("--device", help="where the model runs: CPU, GPU, cuda:0, ... (default: what it prefers)")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Predict or read predictions, score, print, and write what was asked for."""
    from text_spotting.annotations.dataset_file import read_datasets
    from text_spotting.evaluation.lexicon import read_lexicon
    from text_spotting.evaluation.predictions import picture_names, write_predictions

    _check(args)
    images = read_datasets(args.test_ann_files, args.test_data_roots)
    names = picture_names([image.path for image in images])
    lexicons = [read_lexicon(option, names) for option in args.lexicon]
    sizes: list[Entry] = []
    if args.from_predictions:
        predictions = _read_predictions(args.from_predictions, images, names)
    else:
        predictions, sizes = _predict(args, images)
    if args.save_predictions:
        write_predictions(args.save_predictions, dict(zip(names, predictions, strict=True)))
    scores = _score(_metric_names(args), images, predictions, lexicons)
    _print_scores(scores)
    if args.save_metrics_to:
        _save_metrics(args, sizes, scores)
    if args.save_output_to:
        _draw(args.save_output_to, images, names, predictions)


def _check(args: argparse.Namespace) -> None:
    """Find mistakes before the long work starts."""
    from text_spotting.evaluation.files import require_writable
    from text_spotting.evaluation.metrics_file import read_metrics_file
    from text_spotting.evaluation.protocols import protocol

    for name in _metric_names(args):
        protocol(name)
    if args.workers < 1:
        raise UserError(f"--workers {args.workers}: must be 1 or more")
    if args.save_metrics_to:
        require_writable(args.save_metrics_to, "--save-metrics-to")
        read_metrics_file(args.save_metrics_to)
    if args.save_predictions:
        require_writable(args.save_predictions, "--save-predictions")
    if args.save_output_to:
        require_writable(args.save_output_to / "picture.jpg", "--save-output-to")


def _metric_names(args: argparse.Namespace) -> list[str]:
    return [name.strip() for name in args.metrics.split(",")]


def _read_predictions(source: Path, images: "list[AnnotatedImage]", names: list[str]) -> "list[list[Word]]":
    import sys

    from text_spotting.evaluation.predictions import pair_predictions, read_predictions

    sizes = [(image.width, image.height) for image in images]
    predictions, warnings = pair_predictions(read_predictions(source), names, sizes, source)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return predictions


def _predict(args: argparse.Namespace, images: "list[AnnotatedImage]") -> "tuple[list[list[Word]], list[Entry]]":
    from text_spotting.cli.progress import track
    from text_spotting.cli.weights import load_spotter
    from text_spotting.evaluation.inference import spot_pictures
    from text_spotting.evaluation.metrics_file import size_entries

    loaded = load_spotter(args.load_weights, args.config, args.device)
    paths = [image.path for image in images]
    found = spot_pictures(loaded.spotter, paths, readers=args.workers)
    return list(track(found, len(images), "spotting")), size_entries(loaded.parameters_m, loaded.gflops)


def _score(
    metrics: list[str],
    images: "list[AnnotatedImage]",
    predictions: "list[list[Word]]",
    lexicons: "list[Lexicon]",
) -> "dict[str, Score]":
    """Scores by metric; those with a lexicon come last, their names ending with its kind."""
    from text_spotting.evaluation.evaluate import evaluate
    from text_spotting.evaluation.protocols import PROTOCOLS

    truth = [image.words for image in images]
    scores = evaluate(truth, predictions, metrics)
    reading = [name for name in metrics if PROTOCOLS[name].reads]
    for lexicon in lexicons:
        moved = evaluate(truth, lexicon.apply(predictions), reading)
        scores |= {f"{name}_{lexicon.kind}": score for name, score in moved.items()}
    return scores


def _print_scores(scores: "dict[str, Score]") -> None:
    """A table for people, per cent; the harmonic mean is the headline."""
    from text_spotting.evaluation.lexicon import metric_title

    width = max(len(metric_title(name)) for name in scores)
    print(f"{'':{width}}  hmean  recall  precision  matched / truth / predicted")
    for name, score in scores.items():
        figures = f"{score.hmean * 100:6.2f}  {score.recall * 100:6.2f}  {score.precision * 100:9.2f}"
        print(f"{metric_title(name):{width}} {figures}  {score.matched} / {score.truth} / {score.predictions}")


def _save_metrics(args: argparse.Namespace, sizes: "list[Entry]", scores: "dict[str, Score]") -> None:
    from text_spotting.evaluation.lexicon import metric_title
    from text_spotting.evaluation.metrics_file import score_entries, update_metrics_file

    source: Path = args.load_weights or args.from_predictions
    entries = score_entries(scores, {name: metric_title(name) for name in scores})
    update_metrics_file(args.save_metrics_to, [source] if source.is_file() else [], sizes + entries)


def _draw(folder: Path, images: "list[AnnotatedImage]", names: list[str], predictions: "list[list[Word]]") -> None:
    """Save every picture with found words, missed words and false alarms in the colours of ``draw.Outcome``."""
    from text_spotting.cli.progress import track
    from text_spotting.draw import draw_outcomes
    from text_spotting.evaluation.evaluate import compare
    from text_spotting.evaluation.inference import read_picture, write_picture
    from text_spotting.evaluation.outcomes import outcomes

    pictures = compare([image.words for image in images], predictions)
    rows = zip(images, names, pictures, strict=True)
    for image, name, picture in track(rows, len(images), "drawing"):
        write_picture(folder / f"{name}.jpg", draw_outcomes(read_picture(image.path), outcomes(picture)))
    print(f"{folder}: {len(images)} pictures drawn")
