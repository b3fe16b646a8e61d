"""Oddities met while reading annotations: counted by kind, shown by place, fatal when asked."""

from collections import defaultdict
from dataclasses import dataclass, field

from text_spotting.errors import PartlyDoneError, UserError, printable

SHOWN_PER_KIND = 5


@dataclass(slots=True)
class Problems:
    """Collects what a reader had to repair, mark or drop.

    Attributes:
        strict: raise on the first problem instead of collecting it.
        unreadable: files that could not be read at all.
    """

    strict: bool = False
    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[str] = field(default_factory=list)

    def add(self, kind: str, place: str, detail: str = "") -> None:
        """Record a problem.

        Args:
            kind: what happened and what was done about it, the same words for every occurrence.
            place: ``file:line`` or an equally precise address.
            detail: the offending text.

        Raises:
            UserError: at once when ``strict``.
        """
        line = printable(f"{place}: {detail}" if detail else place)
        if self.strict:
            raise UserError(f"{line}: {kind}")
        self.found[kind].append(line)

    def remark(self, kind: str, place: str, detail: str = "") -> None:
        """Record what was guessed or left out by a rule: fatal only where strictness was asked for."""
        self.add(kind, place, detail)

    def add_unreadable(self, kind: str, error: UserError) -> None:
        """Record a file that cannot be read, whose message names it; the run goes on and ends with exit code 1."""
        self.add(kind, str(error))
        self.unreadable.append(str(error))

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

    def most_common(self) -> str:
        """The commonest kind with its first place, on one line; empty where nothing was odd."""
        if not self.found:
            return ""
        kind, places = max(self.found.items(), key=lambda item: len(item[1]))
        return f"{len(places)} times '{kind}', first at {places[0]}"

    def summary(self) -> str:
        """What was odd, for the end of a run; empty where nothing was."""
        return f"oddities met: {len(self)}\n{self.table()}" if len(self) else ""

    def raise_unreadable(self) -> None:
        """End a run that is otherwise done.

        Raises:
            PartlyDoneError: files could not be read.
        """
        if self.unreadable:
            raise PartlyDoneError(f"{len(self.unreadable)} files could not be read; the first: {self.unreadable[0]}")


class ErrorsOnly(Problems):
    """Raises on what is wrong, and takes what can be guessed as guessed."""

    def __init__(self) -> None:
        Problems.__init__(self, strict=True)

    def remark(self, kind: str, place: str, detail: str = "") -> None:
        """Nothing is kept: nobody asked."""
