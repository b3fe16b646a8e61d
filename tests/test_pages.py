"""The project's pages: narrow enough to read, with links that lead somewhere, and cards that stay cards."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CARDS = sorted(ROOT.glob("model_templates/*/*/README.md"))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *CARDS])
WIDEST = 100
URL = re.compile(r"https?://\S+|(?<=\]\()[^)]+(?=\))|(?<=\]: )\S+")
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", flags=re.MULTILINE)


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(text: str) -> str:
    """The page without its blocks of code, whose brackets are no links and whose # are no headings."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def too_wide(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if not line.startswith("|"))
    return [line for line in lines if len(URL.sub("", line)) > WIDEST]


def dead_links(page: Path) -> Iterator[str]:
    for match in LINK.finditer(_prose(page.read_text(encoding="utf-8"))):
        link = match[1] or match[2]
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, part = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (part and part not in _anchors(target)):
            yield link


def _anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", _prose(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_only_tables_and_addresses_may_be_wider() -> None:
    assert too_wide("x" * 100) == []
    assert too_wide("x" * 101) == ["x" * 101]
    assert too_wide("|" + "x" * 200) == []
    assert too_wide("see https://example.org/" + "x" * 200) == []
    assert too_wide("![image](" + "x" * 200 + ")") == []


def test_a_link_to_nothing_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# My *own* part\n[a](page.md) [b](gone.md) [c](#my-own-part) [d](page.md#no)\n\n[e]: lost.png\n")
    assert list(dead_links(page)) == ["gone.md", "page.md#no", "lost.png"]


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_a_page_is_at_most_100_columns_wide(page: Path) -> None:
    assert too_wide(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    assert list(dead_links(page)) == []


@pytest.mark.parametrize("page", CARDS, ids=_id)
def test_a_card_has_at_most_60_lines(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_no_figure_is_left_open(page: Path) -> None:
    assert re.findall(r"FIGURE\(\w+\)", page.read_text(encoding="utf-8")) == []
