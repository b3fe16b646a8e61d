"""``eval``: the annotated set, and the words that a model or a prediction file has for it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from text_spotting.annotations.problems import Problems
    from text_spotting.cli.weights import LoadedSpotter
    from text_spotting.evaluation.runs import AnnotatedSet
    from text_spotting.evaluation.thresholds import Thresholds
    from text_spotting.words import Word

SEARCHED_METRIC = "ic15_word_spotting"
"""What ``--thresholds search`` maximises."""


def load_model(args: argparse.Namespace) -> "LoadedSpotter":
    """The model of ``--load-weights``, reading tile by tile where that was asked for."""
    from text_spotting.cli.weights import load_spotter
    from text_spotting.runtime.tiles import parse_tiles

    model = load_spotter(args.load_weights, args.config, args.device, args.trust_snapshot, args.precision)
    return model.tiled() if parse_tiles(args.tiles) else model


def read_set(ann_files: "str | list[str]", data_roots: "str | list[str]", problems: "Problems") -> "AnnotatedSet":
    """Read an annotated set and say what was odd about it."""
    from text_spotting.annotations.dataset_file import read_datasets
    from text_spotting.evaluation.predictions import image_names
    from text_spotting.evaluation.runs import AnnotatedSet

    before = len(problems)
    images = read_datasets(ann_files, data_roots, problems)
    if len(problems) > before:
        print(problems.summary(), file=sys.stderr)
    paths = [image.path for image in images]
    sizes = [(image.width, image.height) for image in images]
    return AnnotatedSet(image_names(paths), paths, sizes, [image.words for image in images])


def read_predictions_for(source: Path, test_set: "AnnotatedSet") -> "list[list[Word]]":
    """The words that a file or folder has for each image of the set, with warnings of what does not fit."""
    from text_spotting.evaluation.predictions import pair_predictions

    predictions, warnings = pair_predictions(_read(source), test_set.names, test_set.sizes, source)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return predictions


def _read(source: Path) -> "dict[str, list[Word]]":
    """Words by image name, of a file, of a folder of text files, or of the parts that ``read_many`` leaves."""
    from text_spotting.evaluation.predictions import image_names, read_predictions
    from text_spotting.many.parts import find_parts, read_parts

    if not find_parts(source):
        return read_predictions(source)
    found = read_parts(source)
    return dict(zip(image_names(list(found)), found.values(), strict=True))


def predict(
    args: argparse.Namespace,
    model: "LoadedSpotter | None",
    test_set: "AnnotatedSet",
    thresholds: "Thresholds | None",
    problems: "Problems",
) -> "tuple[list[list[Word]], set[Path]]":
    """Words of every image, from the model or the prediction file, saved as they come; and the broken images."""
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
    """Words as the model or the file has them; an image that cannot be read joins ``broken`` and costs no other."""
    from text_spotting.cli.progress import track
    from text_spotting.evaluation.inference import spot_images

    if model is None:
        return read_predictions_for(source, test_set)

    def leave_out(path: Path, error: UserError) -> None:
        broken.add(path)
        problems.add_unreadable("image cannot be read: left out of the score", error)

    found = spot_images(model.spotter, test_set.paths, readers=args.workers, on_broken=leave_out)
    return track(found, len(test_set.paths), "spotting")


def choose_thresholds(
    args: argparse.Namespace, model: "LoadedSpotter | None", problems: "Problems", fold_case: bool
) -> "Thresholds | None":
    """Thresholds given or found on the search set; None to leave the predictions as they come.

    Args:
        fold_case: readings in another case are right.
    """
    from text_spotting.cli.progress import track
    from text_spotting.evaluation.protocols import protocol
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
    search_set = read_set(args.search_ann_files, args.search_data_roots, problems)
    predictions = list(_found(args, model, args.search_predictions, search_set, problems, set()))
    rules = protocol(SEARCHED_METRIC, fold_case)
    found, score = search_thresholds(
        search_set.truth, predictions, rules, lambda grid: track(grid, len(GRID), "searching thresholds", "step")
    )
    print(
        f"thresholds found on {args.search_ann_files} ({len(search_set.paths)} images): detection {found.detection}, "
        f"text {found.text}; {rules.title} there {score.hmean * 100:.2f}; applied to {args.test_ann_files}"
    )
    return found
