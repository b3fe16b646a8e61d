"""From a model template to a self-contained work directory."""
