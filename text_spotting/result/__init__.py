"""What was found in images: lines of text, and files of the kinds that people want."""
