from typing import Any

import numpy as np

class InputTags:
    two_d_array: bool
    string: bool
    sparse: bool
    allow_nan: bool
    categorical: bool

class TargetTags:
    required: bool

class Tags:
    estimator_type: str | None
    input_tags: InputTags
    target_tags: TargetTags
    no_validation: bool
    non_deterministic: bool
    requires_fit: bool

class Bunch(dict[str, Any]): ...

def get_tags(estimator: object) -> Tags: ...
def check_random_state(seed: int | np.random.RandomState | None) -> np.random.RandomState: ...
