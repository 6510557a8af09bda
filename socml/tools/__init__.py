"""A piece of text that an analyst has at hand → what is in it. Only `look_up_online` asks a network, and only if configured.

defang(text)      decode(text)      find_indicators(text)      hash_bytes(data)      triage_mail(data)      look_up(found, lists)
look_up_online(found)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
