"""Matrix products that come out the same each time, bit for bit."""

import os


def install() -> None:
    """Ask MKL, torch's library for matrix products on CPUs, for "conditional numerical reproducibility".

    Without it, MKL on Intel processors takes another road for a matrix at another place in memory, and sums come
    out in another order. The differences are those of rounding, but AdamW makes full steps even of gradients that
    are nothing but rounding, as that of a bias in front of a batch normalisation is: after four steps, two equal
    runs were 1e-4 apart there. MKL reads the variable at its first product; a value that is set already stays.
    """
    os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
