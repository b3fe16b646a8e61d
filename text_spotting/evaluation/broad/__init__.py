"""Measuring a model on many sets at once, so that nothing is chosen by one figure."""
