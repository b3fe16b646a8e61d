"""How this machine is to compute: importing this package settles it, so parts that use torch import it first.

Nothing is compiled: where mmcv lacks its compiled ``mmcv._ext``, a module of our own takes its place. And the same
run gives the same numbers: see ``repeatable``.
"""

from text_spotting.ops import repeatable, stand_in

repeatable.install()
stand_in.install()
