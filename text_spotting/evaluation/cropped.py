"""Readings of cropped words: every image is one word, and where it lies does not matter."""

from collections.abc import Sequence

from text_spotting.evaluation.characters import Reading, ReadingScore, score_readings
from text_spotting.evaluation.slices import LENGTH
from text_spotting.words import Word


def crop_readings(truth: Sequence[Sequence[Word]], predictions: Sequence[Sequence[Word]]) -> list[Reading]:
    """Return what each image says and how it was read; images without a transcription are left out.

    Several words found in one crop are pieces of the same word and are put together from left to right.
    """
    readings = []
    for true_words, found in zip(truth, predictions, strict=True):
        text = "".join(word.text for word in true_words if not word.ignore)
        if text:
            readings.append((text, "".join(word.text for word in sorted(found, key=lambda word: word.box[0]))))
    return readings


def alphanumeric(readings: Sequence[Reading]) -> list[Reading]:
    """Leave out all but letters and digits, as figures for IIIT5K, SVT and ICDAR word recognition usually do."""
    kept = ["".join(filter(_is_alphanumeric, text)) for pair in readings for text in pair]
    return [pair for pair in zip(kept[::2], kept[1::2], strict=True) if pair[0]]


def crop_table(readings: Sequence[Reading], fold_case: bool = True) -> str:
    """Word accuracy and character error rate, per cent, in all, alphanumeric, and by length."""
    plain = alphanumeric(readings)
    rows = [
        ("all characters", score_readings(readings, fold_case)),
        ("letters and digits", score_readings(plain, fold_case)),
    ]
    for index, label in enumerate(LENGTH.labels):
        of_length = [pair for pair in plain if LENGTH.bin_of(len(pair[0])) == index]
        rows.append((f"  of {label} characters", score_readings(of_length, fold_case)))
    width = max(len(title) for title, _ in rows)
    head = f"{'cropped words':{width}}  words  word accuracy  character error rate"
    return "\n".join([head, *(_row(title, score, width) for title, score in rows if score.words)])


def _row(title: str, score: ReadingScore, width: int) -> str:
    return f"{title:{width}}  {score.words:5}  {score.accuracy * 100:13.2f}  {score.character_error_rate * 100:20.2f}"


def _is_alphanumeric(character: str) -> bool:
    return character.isalnum()
