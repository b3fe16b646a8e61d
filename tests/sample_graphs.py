"""Small graphs with worked-out answers for the tests of the runtime."""

from text_spotting.manifest import Manifest

MANIFEST = Manifest(
    input_size=(8, 4),
    keep_aspect=False,
    mean=(10.0, 20.0, 30.0),
    std=(1.0, 2.0, 4.0),
    to_rgb=True,
    embedded=True,
    detector="d.xml",
    encoder="e.xml",
    decoder="c.xml",
)
