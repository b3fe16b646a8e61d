"""Where a tool finds its work dir: beside the script that runs, wherever the user stands."""

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.workdir.config import load_config
from text_spotting.workdir.template import TEMPLATE_NAME, Template, load_template


@dataclass(frozen=True)
class WorkDir:
    """An instantiated template: a folder with ``template.yaml``, its flat configuration and the tools."""

    root: Path

    @property
    def template_file(self) -> Path:
        return self.root / TEMPLATE_NAME

    @cached_property
    def template(self) -> Template:
        """The checked content of ``template.yaml``.

        Raises:
            UserError: it is broken.
        """
        return load_template(self.template_file)

    @property
    def config_file(self) -> Path:
        """The flat model configuration.

        Raises:
            UserError: it is not there.
        """
        path = self.root / self.template.config
        if not path.is_file():
            raise UserError(f"{path} is missing; instantiate the template into {self.root} again to restore it")
        return path


def beside_script() -> WorkDir | None:
    """Return the work dir of the running script, or the one that the user stands in; None when there is neither."""
    for root in (Path(sys.argv[0]).resolve().parent, Path.cwd()):
        if (root / TEMPLATE_NAME).is_file():
            return WorkDir(root)
    return None


def require_work_dir() -> WorkDir:
    """Return the work dir of the running script.

    Raises:
        UserError: there is no ``template.yaml`` beside it, so it is no work dir.
    """
    if found := beside_script():
        return found
    script = Path(sys.argv[0])
    raise UserError(
        f"no {TEMPLATE_NAME} beside {script} or in this folder: make a work dir first, "
        f"python tools/instantiate_template.py <template.yaml> <work dir>, and stand there"
    )


def load_work_config(chosen: Path | None = None) -> Any:
    """The configuration named on the command line, or else the work dir's.

    Raises:
        UserError: there is no work dir, or the configuration is missing or broken.
    """
    work_dir = beside_script() if chosen else require_work_dir()
    return load_config(chosen or require_work_dir().config_file, work_dir.template.alphabet if work_dir else None)
