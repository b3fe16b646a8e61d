"""Endless labelled pictures on the fly, by number."""

from text_spotting.synth.crops import WordGenerator, WordOptions

__all__ = ["WordGenerator", "WordOptions"]
