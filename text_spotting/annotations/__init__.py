"""Readers of public text data sets and our COCO-with-text file."""
