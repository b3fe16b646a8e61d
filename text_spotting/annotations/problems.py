"""Oddities met while reading annotations: counted by kind, shown by place, fatal when asked."""

from collections import defaultdict
from dataclasses import dataclass, field

from text_spotting.errors import UserError

SHOWN_PER_KIND = 5


@dataclass(slots=True)
class Problems:
    """Collects what a reader had to repair, mark or drop.

    Attributes:
        strict: raise on the first problem instead of collecting it.
    """

    strict: bool = False
    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, place: str, detail: str = "") -> None:
        """Record a problem.

        Args:
            kind: what happened and what was done about it, the same words for every occurrence.
            place: ``file:line`` or an equally precise address.
            detail: the offending text.

        Raises:
            UserError: at once when ``strict``.
        """
        line = f"{place}: {detail}" if detail else place
        if self.strict:
            raise UserError(f"{line}: {kind}")
        self.found[kind].append(line)

    def __len__(self) -> int:
        return sum(len(places) for places in self.found.values())

    def table(self) -> str:
        """Counts by kind, the commonest first, each with its first few places."""
        rows = []
        for kind, places in sorted(self.found.items(), key=lambda item: -len(item[1])):
            rows.append(f"{len(places):>7}  {kind}")
            rows += [f"           {place}" for place in places[:SHOWN_PER_KIND]]
            if len(places) > SHOWN_PER_KIND:
                rows.append(f"           and {len(places) - SHOWN_PER_KIND} more")
        return "\n".join(rows)
