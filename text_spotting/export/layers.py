"""Layers of exported graphs, which are called as the modules that they come from."""

import re
from collections.abc import Collection, Iterable

from text_spotting.errors import UserError


def require_layers(graph: str, layers: Collection[str], patterns: Iterable[str]) -> None:
    """Require that every pattern means a layer: a module that is called otherwise than before is found here.

    Args:
        graph: what it is called for people.
        layers: names of its layers.

    Raises:
        UserError: a pattern matches none of them.
    """
    for pattern in patterns:
        if not any(re.match(pattern, name) for name in layers):
            raise UserError(f"{graph} has no layer like {pattern}, which was to keep full precision")
