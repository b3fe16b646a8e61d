"""Text-spotting metrics and reports; free of torch."""
