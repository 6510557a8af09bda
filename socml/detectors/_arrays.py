"""The kinds of arrays that compiled functions take; their shapes are said where they are used."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
AnyFloats: TypeAlias = NDArray[np.floating]  # of 32 or 64 bits
Ints: TypeAlias = NDArray[np.integer]  # of any size, signed or not
Flags: TypeAlias = NDArray[np.bool_]
Hashes: TypeAlias = NDArray[np.uint64]
