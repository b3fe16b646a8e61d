"""Running and logging, alike for all templates."""

log_level = "INFO"
