"""Transcribe the words that a data set only outlines, with the recogniser of the pip package rapidocr."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.progress import track
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.annotations.records import AnnotatedImage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--ann-file", type=Path, required=True, help="COCO-with-text file to complete")
    parser.add_argument("--data-root", type=Path, help="folder of its images (default: the file's own folder)")
    parser.add_argument("--output", type=Path, required=True, help="COCO-with-text file to write")
    parser.add_argument("--min-score", type=float, default=0.9, help="keep texts at least this sure (default: 0.9)")
    parser.add_argument(
        "--threads", type=int, default=0, help="threads of the recogniser (default: as many as the machine has cores)"
    )


def run(args: argparse.Namespace) -> None:
    """Read, transcribe, write, and say what was done."""
    from text_spotting.annotations.dataset_file import check_images_exist, read_dataset, write_dataset
    from text_spotting.annotations.problems import Problems
    from text_spotting.annotations.pseudo_label import pseudo_label
    from text_spotting.evaluation.broad import rapid

    if not 0 <= args.min_score <= 1:
        raise UserError(f"--min-score {args.min_score}: must lie between 0 and 1")
    problems = Problems()
    images = read_dataset(args.ann_file, args.data_root, problems)
    root = args.data_root or args.ann_file.parent
    check_images_exist(images, args.ann_file, root)
    recognise = rapid.reader(args.threads)
    total: Counter[str] = Counter()
    done: list[AnnotatedImage] = []
    labelled = pseudo_label(images, recognise, args.min_score, problems)
    try:
        for image, counts in track(labelled, len(images), "transcribing"):
            done.append(image)
            total += counts
    finally:
        # A run that is stopped keeps what it transcribed; the rest of the images stay as they were.
        write_dataset(args.output, [*done, *images[len(done) :]], None if args.data_root is None else root)
    print(
        f"{args.output}: {total['labelled']} words transcribed, {total['unsure']} not sure enough "
        f"(score below {args.min_score}), {total['left alone']} left alone"
    )
    if len(problems):
        print(f"\n{problems.summary()}")
    problems.raise_unreadable()
