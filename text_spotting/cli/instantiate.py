"""Make a work dir of every template, or of those that a filter or a list names, as scripts of 2021 do."""

import argparse
from pathlib import Path

from text_spotting.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("destination", type=Path, help="folder of the work dirs: DOMAIN/PROBLEM/NAME below it")
    parser.add_argument("--templates-filter", metavar="PATTERN", help="default: all")
    parser.add_argument("--templates-list-file", type=Path, metavar="YAML", help="list of templates; beats the filter")
    parser.add_argument("--do-not-load-snapshots", action="store_true", help="leave the initial weights out")
    parser.add_argument("-v", "--verbose", action="store_true", help="say where every file comes from")


def run(args: argparse.Namespace) -> None:
    """Instantiate one after the other."""
    from text_spotting.cli.instantiate_template import run as instantiate_one
    from text_spotting.workdir.template import load_template

    found = [(path, load_template(path)) for path in _templates(args)]
    for path, template in found:
        domain = template.domain.lower().replace(" ", "_")
        problem = template.problem.lower().replace(" ", "-")
        output = args.destination / domain / problem / template.name
        one = {"template": path, "output": output, "do_not_load_snapshot": args.do_not_load_snapshots, "force": False}
        instantiate_one(argparse.Namespace(**one, verbose=args.verbose))


def _templates(args: argparse.Namespace) -> list[Path]:
    """The templates to instantiate, in order; relative paths and patterns begin where the project's own lie.

    Raises:
        UserError: the list cannot be read, or nothing is found.
    """
    from text_spotting.workdir.catalogue import share
    from text_spotting.workdir.template import TEMPLATE_NAME

    if args.templates_list_file:
        return [share() / name for name in _listed(args.templates_list_file)]
    pattern = Path(args.templates_filter or f"**/{TEMPLATE_NAME}")
    start = Path(pattern.anchor) if pattern.is_absolute() else share()
    found = sorted(start.glob(str(pattern.relative_to(pattern.anchor))))
    if not found:
        raise UserError(f"--templates-filter {pattern}: no template below {start} fits")
    return found


def _listed(path: Path) -> list[str]:
    from text_spotting.files.yaml_files import load_yaml

    try:
        names = load_yaml(path, "list of templates")
    except UserError as error:
        raise UserError(f"{error}", about="templates_list_file") from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UserError(f"{path}: expected a YAML list of paths to template.yaml files", about="templates_list_file")
    return names
