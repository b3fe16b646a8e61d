"""The templates that come with the package, by name."""

from pathlib import Path

from text_spotting.errors import UserError
from text_spotting.workdir.template import TEMPLATE_NAME

PACKAGE = Path(__file__).parents[1]


def share() -> Path:
    """The folder with ``model_templates``, ``configs``, ``tools`` and ``data``.

    An installed package carries them inside; in a checkout they lie beside the package.
    """
    installed = PACKAGE / "share"
    return installed if installed.is_dir() else PACKAGE.parent


def templates() -> dict[str, Path]:
    """Each template's name, which is its folder's, and its file."""
    return {path.parent.name: path for path in sorted((share() / "model_templates").glob(f"*/*/{TEMPLATE_NAME}"))}


def find_template(wanted: str) -> Path:
    """The template file of a name, or of a path to a file or its folder.

    Raises:
        UserError: neither exists.
    """
    path = Path(wanted)
    if (path / TEMPLATE_NAME).is_file():
        return path / TEMPLATE_NAME
    if path.is_file():
        return path
    known = templates()
    if wanted in known:
        return known[wanted]
    raise UserError(f"no template {wanted}: give the path of a {TEMPLATE_NAME}, or one of the names {', '.join(known)}")
