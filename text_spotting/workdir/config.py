"""The model's configuration made self-contained: one file without ``_base_``."""

from pathlib import Path

from text_spotting.errors import UserError


def flat_config(path: Path) -> str:
    """Return the Python text of a configuration with everything that it inherits written out.

    Raises:
        UserError: the file or one of its bases is missing or broken.
    """
    from mmengine.config import Config

    if not path.is_file():
        raise UserError(f"{path}: no such configuration; the template's key 'config' names it")
    try:
        config = Config.fromfile(str(path))
        settings = {name: value for name, value in config.items() if not name.startswith("_")}  # no local helpers
        origin = f"{path.parent.name}/{path.name}"
        return f"# Written out from {origin} with all that it inherits.\n\n{Config(settings).pretty_text}"
    except Exception as error:  # a configuration is a program and can fail in any way
        raise UserError(f"{path}: the configuration does not load ({type(error).__name__}: {error})") from error
