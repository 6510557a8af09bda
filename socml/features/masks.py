"""A message → the same message with its obvious parameters blanked out: addresses, numbers, hashes, paths."""

from __future__ import annotations

import re

PARAMETER = "<*>"
_MASK = re.compile(
    r"""
    (?<![\w.-])(?:
        (?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:[:/][0-9]+)?                         # IPv4, with port or prefix
      | (?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:%\w+)?                  # IPv6, MAC
      | [0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}                 # UUID
      | 0x[0-9a-fA-F]+
      | [0-9]+(?:[.,:/-][0-9]+)*(?:[kKMGT]?i?[bB]|ms|us|ns|s|%)?             # numbers, times, sizes
      | [0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}                                     # hashes
    )(?![\w-])
  | (?<=[A-Za-z]_)-?[0-9]{3,}(?![\w])                                        # blk_-123456
    """,
    re.VERBOSE,
)


def masked(message: str) -> str:
    """Return the message with its obvious parameters as <*>.

    Examples
    --------
    >>> masked("Failed password for root from 10.0.0.9 port 4242 ssh2")
    'Failed password for root from <*> port <*> ssh2'
    >>> masked("Received block blk_-1608999687919862906 of size 91178 from /10.250.10.6")
    'Received block blk_<*> of size <*> from /<*>'
    """
    return _MASK.sub(PARAMETER, message)
