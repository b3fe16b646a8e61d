"""The command-line tools, one module each; heavy imports live inside ``run``."""
