"""The report page: right figures in it, nothing outside it, and alive in a real browser."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from text_spotting.draw import Outcome
from text_spotting.evaluation.comparison import compare_runs
from text_spotting.evaluation.outcomes import word_outcomes
from text_spotting.evaluation.report import write_report
from text_spotting.evaluation.runs import AnnotatedSet, Run, measure
from text_spotting.evaluation.tables import comparison_table
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HEADLESS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
METRICS = ["ic15_detection", "ic15_end_to_end"]


def word(x: float, text: str = "", score: float = 1.0, *, ignore: bool = False) -> Word:
    return Word(box_to_polygon((x, 10, x + 50, 30)), text, score, ignore)


@pytest.fixture
def test_set(tmp_path: Path) -> AnnotatedSet:
    truth = [
        [word(0, "house"), word(60, "boat"), word(120, "sun"), word(240, ignore=True)],
        [word(0, "</script><b>x")],
        [word(0, "tree")],
    ]
    names = ["road", "odd", "park"]
    paths = [tmp_path / f"{name}.png" for name in names]
    for path in paths:
        cv2.imwrite(str(path), np.full((40, 300, 3), 128, np.uint8))
    return AnnotatedSet(names, paths, [(300, 40)] * 3, truth)


@pytest.fixture
def after(test_set: AnnotatedSet) -> Run:
    """House right, boat misread, sun missed, one false alarm; the other images right."""
    found = [
        [word(0, "House", 0.9), word(60, "b0at", 0.8), word(180, "ghost", 0.3), word(240, "any", 0.7)],
        [word(0, "</script><b>x", 0.6)],
        [word(0, "tree", 0.5)],
    ]
    return measure("after.json", test_set, found, METRICS)


@pytest.fixture
def before(test_set: AnnotatedSet) -> Run:
    """House missed, boat right, sun misread; the tree missed."""
    return measure("before.json", test_set, [[word(60, "boat"), word(120, "son")], [], []], METRICS)


def data_of(page: Path) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_every_word_of_an_image_has_its_outcome(after: Run) -> None:
    found = word_outcomes(after.images[0], after.rules("ic15_end_to_end"))
    shown = [(one.word.text, one.outcome, one.truth and one.truth.text) for one in found]
    assert shown == [
        ("sun", Outcome.MISSED, None),
        ("", Outcome.IGNORED, None),
        ("House", Outcome.RIGHT, "house"),
        ("b0at", Outcome.MISREAD, "boat"),
        ("ghost", Outcome.FALSE, None),
    ]


def test_runs_are_compared_word_by_word(before: Run, after: Run) -> None:
    road, odd, park = compare_runs(before.images, after.images, after.rules("ic15_end_to_end"))
    assert [(change.word.text, change.gain) for change in road.better] == [("house", 2)]
    assert [(change.word.text, change.gain) for change in road.worse] == [("boat", -1), ("sun", -1)]
    assert (road.false_before, road.false_after, road.gain) == (0, 1, -1)
    assert (odd.gain, park.gain) == (2, 2)


def test_the_comparison_is_told_in_the_terminal(before: Run, after: Run) -> None:
    table = comparison_table(before, after)
    assert "compared with before.json" in table
    # Detection before: 2 of 5 words, 2 predictions; after: 4 of 5 words, 5 predictions that count.
    assert re.search(r"ICDAR 2015 detection +57\.14 +80\.00 +\+22\.86", table)
    assert "3 words got better, 2 got worse; false alarms 0 before, 1 now" in table
    assert "most worsened images: road" in table


def test_the_page_holds_the_figures(tmp_path: Path, after: Run) -> None:
    data = data_of(write_report(tmp_path / "report", after))
    detection, end_to_end = data["figures"]
    assert (detection["counts"], detection["hmean"]) == ([4, 5, 5], pytest.approx(0.8))
    assert end_to_end["counts"] == [3, 5, 5]
    assert end_to_end["interval"][0] < 0.6 < end_to_end["interval"][1]
    assert data["curves"][0]["best"] == pytest.approx([4 / 5, 1, 0.5, 8 / 9])
    lengths = next(table for table in data["slices"] if table["title"].startswith("Length"))
    assert [(row["words"], row["found"], row["right"]) for row in lengths["rows"]][1:3] == [(3, 2, 1), (1, 1, 1)]
    assert data["readings"]["words"] == 4
    assert data["readings"]["confusions"] == [{"true": "O", "read": "0", "count": 1, "examples": [["boat", "b0at"]]}]
    assert data["pictures"][0]["counts"] == {"right": 1, "misread": 1, "missed": 1, "false": 1, "ignored": 1}


@pytest.mark.parametrize(("fold_case", "taken"), [(True, ["B"]), (False, [])])
def test_a_reading_in_another_case_is_of_another_word_where_cases_are_told_apart(
    tmp_path: Path, test_set: AnnotatedSet, fold_case: bool, taken: list[str]
) -> None:
    """Case apart one letter of four is wrong in "VOAT"; with case all four are, which says nothing about letters."""
    run = measure("after.json", test_set, [[word(60, "VOAT")], [], []], METRICS, fold_case=fold_case)
    data = data_of(write_report(tmp_path / "report", run))
    assert [row["true"] for row in data["readings"]["confusions"]] == taken


def test_the_page_needs_nothing_from_outside(tmp_path: Path, before: Run, after: Run) -> None:
    page = write_report(tmp_path / "report", after, before).read_text()
    without_namespace = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]+\.|@import|<link|src=\"(?!data:)", without_namespace)
    assert page.count("</script>") == 2


def test_without_predictions_there_is_still_a_page(tmp_path: Path, test_set: AnnotatedSet) -> None:
    data = data_of(write_report(tmp_path, measure("none.json", test_set, [[], [], []], METRICS)))
    assert [row["hmean"] for row in data["figures"]] == [0, 0]
    assert data["curves"][0]["points"] == []
    assert data["readings"]["confusions"] == []


def browser() -> str:
    """Path of a Chromium. REQUIRE_BROWSER=1 is for machines that are set up to have one: there its lack is an error."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        message = "needs a Chromium to see the page as people do (Debian: apt-get install chromium)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found


def in_browser(page: Path, script: str, tmp_path: Path) -> Any:
    """Open the page from disk, run a script after its own, and return what the script's ``result`` holds."""
    catcher = "<script>const faults = []; onerror = (message) => { faults.push(String(message)); };</script>"
    reporter = (
        f"<script>let result = {{}};\n{script}\n"
        "const said = document.createElement('pre'); said.id = 'said'; "
        "said.textContent = JSON.stringify({ faults, result, fetched: performance.getEntriesByType('resource')"
        ".map((one) => one.name).filter((name) => !name.startsWith('data:')) }); document.body.append(said);</script>"
    )
    text = page.read_text().replace("<head>", "<head>" + catcher).replace("</body>", reporter + "</body>")
    probe = page.with_name("probe.html")
    probe.write_text(text)
    command = [browser(), *HEADLESS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", probe.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    said = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)
    assert said, done.stdout[-2000:] + done.stderr[-2000:]
    answer = json.loads(html.unescape(said[1]))
    assert answer["faults"] == []
    assert answer["fetched"] == []
    return answer["result"]


@pytest.mark.slow
def test_in_a_browser_the_page_draws_filters_and_enlarges(tmp_path: Path, before: Run, after: Run) -> None:
    page = write_report(tmp_path / "a folder", after, before)
    script = """
      const names = () => [...document.querySelectorAll("#gallery figure")].map((one) => one.dataset.name);
      const set = (id, value, event) => {
        const control = document.getElementById(id);
        if (control.type === "checkbox") control.checked = value; else control.value = value;
        control.dispatchEvent(new Event(event));
      };
      const visible = () => document.querySelectorAll("#gallery polygon:not(.hidden)").length;
      result.cards = [...document.querySelectorAll("#figures .value")].map((one) => one.textContent);
      result.curves = document.querySelectorAll("#curves path.curve").length;
      result.slices = document.querySelectorAll("#slices .card").length;
      result.confusions = document.querySelector("#confusions tr:nth-child(2)").textContent;
      result.errors = names();
      result.outlines = visible();
      set("show-right", false, "change");
      result.withoutRight = visible();
      set("show-right", true, "change");
      set("need", "all", "change"); set("order", "name", "change");
      result.all = names();
      set("search", "TREE", "input");
      result.searched = names();
      set("search", "", "input");
      set("need", "worse", "change");
      result.worse = names();
      result.changes = [...document.querySelectorAll(".changes .chip")].map((one) => one.textContent);
      set("run", "before", "change");
      result.earlier = document.querySelector("figure .tally").textContent;
      document.querySelector("figure button.stage").click();
      result.enlarged = document.getElementById("viewer").open;
    """
    result = in_browser(page, script, tmp_path)
    assert result == {
        "cards": ["80.00", "60.00"],
        "curves": 2,
        "slices": 4,
        "confusions": "O \u2192 01boat \u2192 b0at",
        "errors": ["road"],
        "outlines": 4,
        "withoutRight": 3,
        "all": ["odd", "park", "road"],
        "searched": ["park"],
        "worse": ["road"],
        "changes": ["house: missed \u2192 House", "boat: boat \u2192 b0at", "sun: son \u2192 missed"],
        "earlier": "1 missed \u00b7 1 misread \u00b7 0 false alarm \u00b7 1 right",
        "enlarged": True,
    }


@pytest.mark.slow
def test_in_a_browser_odd_transcriptions_stay_text(tmp_path: Path, after: Run) -> None:
    script = """
      document.getElementById("need").value = "all";
      document.getElementById("need").dispatchEvent(new Event("change"));
      result = [...document.querySelectorAll(".chip")].map((one) => one.textContent);
    """
    assert "</script><b>x" in in_browser(write_report(tmp_path, after), script, tmp_path)


@pytest.mark.slow
def test_in_a_browser_equal_figures_are_one_card_and_nothing_is_wider_than_a_phone(
    tmp_path: Path, test_set: AnnotatedSet
) -> None:
    metrics = ["f1", *METRICS]
    better, worse = ([[word(0, text)], [], []] for text in ("house", "horse"))
    page = write_report(
        tmp_path,
        measure("after.json", test_set, better, metrics),
        measure("before.json", test_set, worse, metrics),
    )
    script = """
      result.titles = [...document.querySelectorAll("#figures h3")].map((one) => one.textContent);
      document.body.style.width = "390px";
      result.wider = [...document.querySelectorAll("main *")]
        .filter((one) => one.getBoundingClientRect().right > 390.5).map((one) => one.tagName + "." + one.className);
      const color = (name) => getComputedStyle(document.querySelector(name)).color;
      result.improved = color(".chip.improved");
    """
    result = in_browser(page, script, tmp_path)
    titles = ["F1-score \u00b7 ICDAR 2015 detection \u00b7 ICDAR 2015 end-to-end"]
    assert result["titles"] == titles, "the newer run reads all that it finds"
    assert result["wider"] == []
    assert result["improved"] == "rgb(138, 47, 196)", "no outcome has this color"
