"""Results as text for the terminal."""

from collections.abc import Sequence

from text_spotting.evaluation.comparison import ImageChange, compare_runs
from text_spotting.evaluation.evaluate import Score
from text_spotting.evaluation.runs import Run
from text_spotting.evaluation.statistics import difference_interval

SHOWN_IMAGES = 5


def score_table(run: Run) -> str:
    """One line a metric, per cent; the harmonic mean is the headline."""
    width = max(len(metric.title) for metric in run.metrics.values())
    lines = [f"{'':{width}}   hmean  recall  precision  matched / truth / predicted"]
    for metric in run.metrics.values():
        score = metric.score
        shares = f"{score.hmean * 100:7.2f} {score.recall * 100:7.2f} {score.precision * 100:10.2f}"
        lines.append(f"{metric.title:{width}} {shares}  {score.matched} / {score.truth} / {score.predictions}")
    return "\n".join(lines)


def comparison_table(before: Run, after: Run) -> str:
    """What changed from one run to the other, metric by metric and word by word."""
    changes = compare_runs(before.images, after.images, after.rules("ic15_end_to_end"))
    return "\n".join([*_metric_lines(before, after), *_word_lines(after.test_set.names, changes)])


def _metric_lines(before: Run, after: Run) -> list[str]:
    width = max(len(metric.title) for metric in after.metrics.values())
    lines = [f"compared with {before.label}:", f"{'':{width}}  before   after  change  (95 % interval)"]
    for name, metric in after.metrics.items():
        old, new = before.metrics[name].image_scores, metric.image_scores
        first, second = sum(old, Score()).hmean, sum(new, Score()).hmean
        low, high = difference_interval(old, new)
        chance = "" if low > 0 or high < 0 else ", may be chance"
        figures = f"{first * 100:7.2f} {second * 100:7.2f} {(second - first) * 100:+7.2f}"
        lines.append(f"{metric.title:{width}} {figures}  ({low * 100:+.2f} to {high * 100:+.2f}{chance})")
    return lines


def _word_lines(names: Sequence[str], changes: Sequence[ImageChange]) -> list[str]:
    better = sum(len(change.better) for change in changes)
    worse = sum(len(change.worse) for change in changes)
    alarms = sum(change.false_before for change in changes), sum(change.false_after for change in changes)
    ranked = sorted(zip(names, changes, strict=True), key=lambda row: row[1].gain)
    losers = [name for name, change in ranked if change.gain < 0][:SHOWN_IMAGES]
    winners = [name for name, change in reversed(ranked) if change.gain > 0][:SHOWN_IMAGES]
    return [
        f"{better} words got better, {worse} got worse; false alarms {alarms[0]} before, {alarms[1]} now",
        f"most improved images: {', '.join(winners) or 'none'}",
        f"most worsened images: {', '.join(losers) or 'none'}",
    ]
