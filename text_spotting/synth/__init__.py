"""A synthetic scene-text renderer with exact labels."""
