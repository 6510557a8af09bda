"""socml: find what is unusual in security logs, say why, and learn from every answer.

    raw → events → features → scores → explanations → queue → labels → (fit again)

`import socml` does nothing: each name is loaded when it is first used. `__init__.pyi` lists them, with their types.

Examples
--------
>>> import socml
>>> "load_events" in dir(socml)
True
"""

import lazy_loader

__version__ = "0.3.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
