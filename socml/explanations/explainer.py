"""What an explainer is, whoever wrote it: one of `socml/explanations/explainers/`, or a file of the project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Explainer(Protocol):
    """Tells how far each cell of a detector's matrix pushed a row: a row and `base` add up to what is explained."""

    @property
    def exact(self) -> bool:
        """Whether the pushes have no error; if they have, it is a `SampledExplainer`."""

    @property
    def unit(self) -> str:
        """What is explained, and the unit of every push."""

    @property
    def base(self) -> float:
        """Where a row of which nothing is known stands, in `unit`."""

    def contributions(self, X: np.ndarray, /) -> NDArray[np.float64]:
        """Return each cell's push, shape as X: positive pushes toward anomalous."""


class SampledExplainer(Explainer, Protocol):
    """An explainer whose pushes are estimated."""

    def sampled(self, X: np.ndarray, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pushes and the standard error of each, both shape as X."""


@runtime_checkable
class StepsExplainer(Protocol):
    """An explainer of sequences, which also tells their most surprising steps."""

    def in_steps(self, X: np.ndarray, /) -> list[str]:
        """Return the most surprising steps of each sequence, in words."""
