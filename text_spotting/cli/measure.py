"""Score a model on many sets at once, with standard errors, and compare models that were scored."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.evaluation.broad.results import Results
    from text_spotting.evaluation.broad.sets import Source

ALL = 1_000_000
"""No set has so many images."""
MOST_POSITIONS = 9
PLOTS = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "--load-weights",
        metavar="FILE|DIR|rapidocr",
        help="what to measure: a snapshot (.pth), an exported model, or the pip package rapidocr",
    )
    parser.add_argument("--config", type=Path, help="the snapshot's model.py (default: beside it, or of the work dir)")
    parser.add_argument("--data-root", type=Path, help="folder of the data sets; those that are not there are left out")
    parser.add_argument("--output", type=Path, metavar="DIR", help="keeps answers and figures; run again to go on")
    parser.add_argument("--label", help="name in tables (default: the name of --output)")
    parser.add_argument("--sets", default="", help="comma-separated sets (default: all; --list names them)")
    parser.add_argument("--list", action="store_true", help="name the sets, and end")
    parser.add_argument("--limit", type=int, default=ALL, metavar="N", help="at most N images of each set")
    parser.add_argument(
        "--positions", type=int, default=9, help="of the development split, 1 to 9 (default: 9; fewer for a quick look)"
    )
    parser.add_argument("--readers-only", action="store_true", help="look for no words: read crops and true frames")
    parser.add_argument(
        "--add-readers",
        nargs="+",
        default=[],
        metavar="FILE|DIR|rapidocr",
        help="read the same words with the recognisers of these models, too",
    )
    parser.add_argument("--streams", type=int, default=2, help="images spotted side by side (default: 2)")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes (default: 1)")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keeps rendered scenes and exports (default: where downloads are kept)",
    )
    parser.add_argument("--compare", type=Path, nargs="+", default=[], metavar="FILE", help="show these results beside")
    parser.add_argument("--errors", action="store_true", help="show what becomes of missed, misread and false words")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures (.png, .svg)")
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")


def run(args: argparse.Namespace) -> None:
    """Measure what is to be measured, and show it beside what was measured before."""
    from text_spotting.evaluation.broad.results import read_results
    from text_spotting.evaluation.broad.sets import SOURCES, choose

    if args.list:
        print("\n".join(f"{name:18}{source.title}" for name, source in SOURCES.items()))
        return
    sources = choose(args.sets)
    _check(args)
    shown = [read_results(path, "compare") for path in args.compare]
    if args.load_weights:
        shown.append(_measure(args, sources))
    _show(args, shown)


def _check(args: argparse.Namespace) -> None:
    """Find mistakes before the long work starts."""
    from text_spotting.evaluation.broad.results import RESULTS
    from text_spotting.files.writing import require_writable

    if not (args.load_weights or args.compare):
        raise UserError("nothing to do: give --load-weights to measure, --compare to show what was measured, or --list")
    if args.load_weights and not (args.data_root and args.output):
        raise UserError("--load-weights: measuring also needs --data-root and --output")
    if args.data_root and not args.data_root.is_dir():
        raise UserError(f"--data-root {args.data_root}: no such folder")
    for flag in ("limit", "streams", "workers"):
        if getattr(args, flag) < 1:
            raise UserError(f"--{flag} {getattr(args, flag)}: must be 1 or more")
    if not 1 <= args.positions <= MOST_POSITIONS:
        raise UserError(f"--positions {args.positions}: must lie between 1 and {MOST_POSITIONS}")
    if args.output:
        require_writable(args.output / RESULTS, "output")
    if args.plot:
        if args.plot.suffix not in PLOTS:
            raise UserError(f"--plot {args.plot}: expected a file ending in {', '.join(PLOTS)}")
        require_writable(args.plot, "plot")


def _measure(args: argparse.Namespace, sources: "dict[str, Source]") -> "Results":
    """Measure set by set; figures are written after each."""
    from text_spotting.cli.measure_models import open_model
    from text_spotting.cli.progress import track
    from text_spotting.evaluation.broad.measuring import measure_set
    from text_spotting.evaluation.broad.results import RESULTS
    from text_spotting.evaluation.broad.sets import Request
    from text_spotting.evaluation.broad.tables import figure_table
    from text_spotting.workdir.download import cache_dir

    cache = args.cache or cache_dir()
    model = open_model(args, cache)
    file = args.output / RESULTS
    results = _begun(args, model.identity)
    request = Request(args.data_root, args.limit, args.positions, cache, track, args.workers)
    for name, source in sources.items():
        if absent := source.missing(args.data_root):
            print(f"{name}: left out, {absent[0]} is not there")
            continue
        measured = measure_set(model, name, source.load(request), args.output, track)
        results = results.with_set(name, source.title, measured)
        results.save(file)
        print(f"{figure_table([results.only(name)])}\n", flush=True)
    if not results.sets:
        raise UserError(f"--data-root {args.data_root}: holds none of the sets; --list names them")
    return results


def _begun(args: argparse.Namespace, identity: str) -> "Results":
    """Results that are there already, without sets."""
    from text_spotting.evaluation.broad.results import RESULTS, Results, read_results

    label = args.label or args.output.resolve().name
    if not (args.output / RESULTS).is_file():
        return Results(label, identity, {})
    before = read_results(args.output, "output")
    if before.identity != identity:
        raise UserError(f"--output {args.output}: holds figures of other weights; choose another folder or delete it")
    return Results(label, identity, before.sets)


def _show(args: argparse.Namespace, models: "list[Results]") -> None:
    from text_spotting.evaluation.broad.tables import example_lines, fault_table, figure_table

    print(figure_table(models))
    if args.errors:
        print(f"\n{fault_table(models)}\n\n{example_lines(models[-1])}")
    if args.plot:
        _draw(models, args.plot)


def _draw(models: "list[Results]", path: Path) -> None:
    from text_spotting.evaluation.broad.plot import draw

    try:
        draw(models, path)
    except ModuleNotFoundError as error:
        raise UserError(f"--plot needs matplotlib ({error}); install it: pip install matplotlib") from error
    print(f"{path} drawn")
