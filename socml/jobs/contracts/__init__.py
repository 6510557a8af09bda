"""One file a kind of component: a component → which promises of its kind it keeps. `check.py` runs them."""
