"""When a transcription counts and when a reading of it is right, after ICDAR 2015 Challenge 4.

The rules are those of the challenge's evaluation (Karatzas et al., ICDAR 2015 Robust Reading Competition, tasks 4.3
and 4.4): word spotting asks for dictionary-like words only, end-to-end recognition asks for every legible word. Double
quotes around a whole transcription belong to the file format there, not to the word, in truth and readings alike.
"""

import re
import unicodedata

MIN_WORD_LENGTH = 3
"""Word spotting ignores shorter words."""

PUNCTUATION = "!?.:,*\"()·[]/'"
"""Marks that word spotting strips and that end-to-end recognition may miss at the ends of a word."""

_PUNCTUATION_TO_SPACE = str.maketrans(dict.fromkeys(PUNCTUATION, " "))
_LETTER_RANGES = (("a", "z"), ("A", "Z"), ("\u00c0", "\u01bf"), ("\u01c4", "\u027f"), ("\u0386", "\u03ff"), ("-", "-"))
_NOT_LETTERS = "\u00d7\u00f7\u00b7"
"""Multiplication sign, division sign and middle dot; the first two lie inside the Latin range."""
_OTHER_SCRIPTS = "\u0400"
"""From here on the challenge knows no letters; here all that Unicode calls letters, and marks upon them, are."""


_QUOTED = re.compile(r'\s*"(.*)"\s*')


def unquoted(transcription: str) -> str:
    """Return what stands between quotes around the whole, where backslashes escape quotes and backslashes."""
    quoted = _QUOTED.fullmatch(transcription)
    return quoted[1].replace("\\\\", "\\").replace('\\"', '"') if quoted else transcription


def spotting_form(transcription: str) -> str:
    """Return what word spotting compares: no trailing 's, no outer hyphens, punctuation turned into spaces."""
    transcription = unquoted(transcription)
    if transcription[-2:] in ("'s", "'S"):
        transcription = transcription[:-2]
    return transcription.strip("-").translate(_PUNCTUATION_TO_SPACE).strip()


def is_spotting_word(transcription: str) -> bool:
    """Tell whether word spotting asks for this word: one run of three or more letters and hyphens.

    Digits make a word uninteresting to it, so ``"B12"`` is a don't-care region there.
    """
    form = spotting_form(transcription)
    return len(form) >= MIN_WORD_LENGTH and all(_is_letter(character) for character in form)


def same_word(truth: str, reading: str, fold_case: bool = True) -> bool:
    """Compare, without regard to case unless told otherwise."""
    return _folded(truth, fold_case) == _folded(reading, fold_case)


def same_but_outer_punctuation(truth: str, reading: str, fold_case: bool = True) -> bool:
    """Compare as ``same_word`` does; one punctuation mark at either end of the truth may be missing."""
    truth, reading = _folded(truth, fold_case), _folded(reading, fold_case)
    first = 1 if truth[:1] and truth[0] in PUNCTUATION else 0
    last = 1 if truth[-1:] and truth[-1] in PUNCTUATION else 0
    end = len(truth)
    return reading in {truth, truth[first:], truth[: end - last], truth[first : max(first, end - last)]}


def _folded(text: str, fold_case: bool) -> str:
    text = unicodedata.normalize("NFC", unquoted(text))
    return text.upper() if fold_case else text


def _is_letter(character: str) -> bool:
    if character >= _OTHER_SCRIPTS:
        return unicodedata.category(character)[0] in "LM"
    return character not in _NOT_LETTERS and any(low <= character <= high for low, high in _LETTER_RANGES)
