"""Which files of the package a piece of code stands on, told from their imports without running them."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_behind(package: Path, modules: Iterable[str]) -> list[Path]:
    """Return the files of modules and of all that they import from their own package, functions' imports included.

    Imports for types alone do not count.

    Args:
        package: folder of the package.
        modules: names without the package's, such as ``runtime.spotter``.

    Raises:
        ValueError: there is no such module.
    """
    found: set[Path] = set()
    waiting = [file for module in modules for file in _required(package, module)]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imported(package, file)
    return sorted(found)


def _required(package: Path, module: str) -> list[Path]:
    place = package.joinpath(*module.split("."))
    if not place.with_suffix(".py").is_file() and not (place / "__init__.py").is_file():
        raise ValueError(f"{package.name} has no module {module}")
    return list(_files(package, module))


def _imported(package: Path, file: Path) -> Iterator[Path]:
    for name in _names(ast.parse(file.read_text("utf-8"))):
        head, _, rest = name.partition(".")
        if head == package.name:
            yield from _files(package, rest)


def _names(node: ast.AST) -> Iterator[str]:
    """Names of all modules that code imports, and of what it takes out of them, which may be modules as well."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


def _files(package: Path, module: str) -> Iterator[Path]:
    """The module's file and those of the packages that it lies in; a name in a module leads to the module's file."""
    place = package
    for part in module.split("."):
        place /= part
        yield from (file for file in (place.with_name(f"{part}.py"), place / "__init__.py") if file.is_file())
