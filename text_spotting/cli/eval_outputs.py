"""``eval``: what is printed of single words, and the files that were asked for."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text_spotting.cli.weights import LoadedSpotter
    from text_spotting.evaluation.characters import Reading
    from text_spotting.evaluation.runs import Run


def _crop_readings(result: "Run") -> "list[Reading]":
    from text_spotting.evaluation.cropped import crop_readings

    return crop_readings(result.test_set.truth, [image.predictions for image in result.images])


def print_cropped(result: "Run") -> None:
    """Print the accuracy of a set whose images are single words."""
    from text_spotting.evaluation.cropped import crop_table

    print(crop_table(_crop_readings(result), result.fold_case))


def save(
    args: argparse.Namespace, source: Path, model: "LoadedSpotter | None", result: "Run", before: "Run | None"
) -> None:
    """Write the metrics, the drawn images and the report, those that were asked for."""
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
        count = len(result.images)
        page = write_report(args.report, result, before, lambda items: track(items, count, "report"))
        print(f"report: {page}")


def _draw(folder: Path, result: "Run") -> None:
    """Save every image with found words, missed words and false alarms in the colors of ``draw.Outcome``."""
    from text_spotting.cli.progress import track
    from text_spotting.draw import draw_outcomes
    from text_spotting.evaluation.outcomes import word_outcomes
    from text_spotting.image_files import read_image, write_image

    test_set = result.test_set
    rows = zip(test_set.paths, test_set.names, result.images, strict=True)
    for path, name, image in track(rows, len(test_set.paths), "drawing"):
        shown = [(one.word, one.outcome) for one in word_outcomes(image, result.rules("ic15_end_to_end"))]
        write_image(folder / f"{name}.jpg", draw_outcomes(read_image(path), shown))
    print(f"drawn images: {folder}")
