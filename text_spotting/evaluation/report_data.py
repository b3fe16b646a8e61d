"""What the report page shows, as plain JSON values."""

from collections.abc import Sequence
from typing import Any

from text_spotting.draw import Outcome
from text_spotting.evaluation.characters import Reading, confusions, score_readings
from text_spotting.evaluation.comparison import Change, ImageChange, compare_runs
from text_spotting.evaluation.evaluate import ComparedImage, Score
from text_spotting.evaluation.outcomes import WordOutcome, image_outcomes, word_outcomes
from text_spotting.evaluation.protocols import Protocol
from text_spotting.evaluation.runs import Run
from text_spotting.evaluation.slices import PROPERTIES, Slicing, quartiles
from text_spotting.evaluation.statistics import (
    confidence_interval,
    difference_interval,
    share_interval,
    threshold_curve,
)
from text_spotting.words import Word

Data = dict[str, Any]

DETECTION, END_TO_END = "ic15_detection", "ic15_end_to_end"
ERRORS = (Outcome.MISSED, Outcome.MISREAD, Outcome.FALSE)
SHARPNESS_LABELS = ("most blurred quarter", "second", "third", "sharpest quarter")
TOP_CONFUSIONS = 24
EXAMPLES = 4
CURVE_POINTS = 200


def figures(run: Run, before: Run | None) -> list[Data]:
    """Headline figures with intervals, in per cent, and what changed since the run before."""
    rows = []
    for name, metric in run.metrics.items():
        scores = metric.image_scores
        whole = sum(scores, Score())
        row: Data = {
            "title": metric.title,
            "counts": [whole.matched, whole.truth, whole.predictions],
            "hmean": whole.hmean,
            "recall": whole.recall,
            "precision": whole.precision,
            "interval": confidence_interval(scores),
        }
        if before and name in before.metrics:
            earlier = before.metrics[name].image_scores
            row["before"] = sum(earlier, Score()).hmean
            row["change"] = difference_interval(earlier, scores)
        rows.append(row)
    return rows


def threshold_curves(run: Run) -> list[Data]:
    """Precision over recall as the score threshold sinks, for finding and for reading."""
    curves = []
    for rules in (run.rules(DETECTION), run.rules(END_TO_END)):
        curve = threshold_curve(run.images, rules)
        threshold, best = curve.best
        every = max(1, len(curve.scores) // CURVE_POINTS)
        rows = list(zip(curve.thresholds, curve.scores, strict=True))
        points = rows[::every] + (rows[-1:] if (len(rows) - 1) % every else [])
        curves.append(
            {
                "title": rules.title,
                "points": [[score.recall, score.precision, value, score.hmean] for value, score in points],
                "best": [best.recall, best.precision, threshold, best.hmean],
            }
        )
    return curves


def slice_tables(run: Run, sharpness: Sequence[Sequence[float]]) -> list[Data]:
    """Share of words found, and of words found and read right, by what makes words hard.

    Args:
        sharpness: of every true word of every image.
    """
    results = [_results(run, image) for image in run.images]
    sharp = [
        (sharpness[image][index], result)
        for image, of_image in enumerate(results)
        for index, result in of_image.items()
    ]
    tables = []
    for slicing, measure in PROPERTIES.values():
        values = [
            (measure(image.truth[index]), result)
            for image, of_image in zip(run.images, results, strict=True)
            for index, result in of_image.items()
        ]
        tables.append(_slice_table(slicing, values))
    blur = quartiles("Sharpness, quarters of this set", [value for value, _ in sharp], SHARPNESS_LABELS)
    return [*tables, _slice_table(blur, sharp)]


Result = tuple[bool, bool]
"""Whether a true word was found, and whether it was read right."""


def _results(run: Run, image: ComparedImage) -> dict[int, Result]:
    """Of every transcribed word that counts, by its number."""
    found = image_outcomes(image, run.rules(DETECTION)).truth
    read = image_outcomes(image, run.rules(END_TO_END)).truth
    return {index: (found[index].outcome is Outcome.RIGHT, one.outcome is Outcome.RIGHT) for index, one in read.items()}


def _slice_table(slicing: Slicing, values: Sequence[tuple[float, Result]]) -> Data:
    bins: list[list[Result]] = [[] for _ in slicing.labels]
    for value, result in values:
        bins[slicing.bin_of(value)].append(result)
    rows = []
    for label, results in zip(slicing.labels, bins, strict=True):
        found, right = sum(result[0] for result in results), sum(result[1] for result in results)
        rows.append(
            {
                "label": label,
                "words": len(results),
                "found": found,
                "right": right,
                "intervals": [share_interval(found, len(results)), share_interval(right, len(results))],
            }
        )
    return {"title": slicing.title, "rows": rows}


def readings(run: Run) -> Data:
    """Word accuracy and character error rate of the words that were found, and the commonest confusions."""
    fold = run.fold_case
    pairs = [pair for image in run.images for pair in _found_readings(image, run.rules(END_TO_END))]
    score = score_readings(pairs, fold)
    close = [pair for pair in pairs if _close(pair, fold)]
    rows = []
    for (true, read), count in confusions(close, fold).most_common(TOP_CONFUSIONS):
        examples = dict.fromkeys(pair for pair in close if (true, read) in confusions([pair], fold))
        rows.append({"true": true, "read": read, "count": count, "examples": list(examples)[:EXAMPLES]})
    return {
        "words": score.words,
        "accuracy": score.accuracy,
        "characters": score.characters,
        "error_rate": score.character_error_rate,
        "confusions": rows,
    }


def _found_readings(image: ComparedImage, rules: Protocol) -> list[Reading]:
    found = image_outcomes(image, rules).truth
    return [(image.truth[true].text, one.reading) for true, one in found.items() if one.prediction is not None]


def _close(reading: Reading, fold_case: bool) -> bool:
    """Whether at most half of the characters differ: a reading of another word says nothing about its letters."""
    return sum(confusions([reading], fold_case).values()) <= max(map(len, reading)) / 2


def gallery(run: Run, before: Run | None) -> list[Data]:
    """Every image with its words and errors; ``weight`` is larger the more there is to see."""
    changes: Sequence[ImageChange | None] = [None] * len(run.images)
    rules = run.rules(END_TO_END)
    if before:
        changes = compare_runs(before.images, run.images, rules)
    images = []
    for index, (name, image, change) in enumerate(zip(run.test_set.names, run.images, changes, strict=True)):
        words = word_outcomes(image, rules)
        counts = {str(outcome): sum(word.outcome is outcome for word in words) for outcome in Outcome}
        entry: Data = {"name": name, "counts": counts, "words": [_shown(word) for word in words]}
        entry["weight"] = sum(counts[outcome] for outcome in ERRORS)
        if before and change:
            entry["before"] = [_shown(word) for word in word_outcomes(before.images[index], rules)]
            entry["better"] = [_described(one) for one in change.better]
            entry["worse"] = [_described(one) for one in change.worse]
            entry["false"] = [change.false_before, change.false_after]
            entry["gain"] = change.gain
            entry["weight"] += 2 * len(change.better) + 2 * len(change.worse)
        images.append(entry)
    return images


def _shown(one: WordOutcome) -> Data:
    word = one.word
    return {
        "points": _points(word),
        "outcome": str(one.outcome),
        "text": word.text,
        "truth": one.truth.text if one.truth else "",
        "score": round(float(word.score), 3),
    }


def _described(change: Change) -> Data:
    sides = {"before": change.before, "after": change.after}
    told = {side: [str(one.outcome), one.reading] for side, one in sides.items()}
    return {"truth": change.word.text, "points": _points(change.word), **told}


def _points(word: Word) -> list[list[float]]:
    return [[round(float(x), 1), round(float(y), 1)] for x, y in word.polygon]
