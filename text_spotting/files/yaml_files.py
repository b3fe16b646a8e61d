"""YAML that others wrote: plain values only, small, and without references that unfold without end."""

from pathlib import Path
from typing import Any

import yaml

from text_spotting.errors import UserError
from text_spotting.files.reading import read_text

LARGEST = 1 << 20
"""Characters; templates and metrics have some thousand."""


class _PlainLoader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "references (*name) are not allowed here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice, of which YAML would silently take the second."""
        seen: list[Any] = []
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            seen.append(key)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path, what: str = "YAML file") -> Any:
    """Read a YAML file.

    Raises:
        UserError: it cannot be read, is not plain YAML, or is too large.
    """
    return parse_yaml(read_text(path, what), str(path))


def parse_yaml(content: str, source: str) -> Any:
    """Parse YAML; ``source`` names it in messages.

    Raises:
        UserError: it is not plain YAML, or is too large.
    """
    if len(content) > LARGEST:
        raise UserError(f"{source}: {len(content)} characters are too many for YAML here; is this the file you meant?")
    try:
        return yaml.load(content, _PlainLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UserError(f"{source}: nests too deeply to be read") from error
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError) as error:
        # PyYAML lets out what dates, numbers and tags of odd shape raise.
        raise UserError(f"{source}: holds a value that is none: {error}") from error
