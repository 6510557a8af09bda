"""scikit-learn's words for what a parameter may be → the same, for socml's own estimators: `Interval`, `StrOptions`, `RealNotInt`.

scikit-learn checks what an estimator's `_parameter_constraints` say in these words, and has no public name for them. Here
alone are they imported, so that a release which moves them is met in one place.
"""

from __future__ import annotations

from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

__all__ = ["Interval", "RealNotInt", "StrOptions"]
