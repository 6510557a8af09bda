"""A seed → several days of a small organisation's logs, as its sensors would have written them, with known attacks.

Zeek's conn, dns, http and ssl logs, Suricata's eve.json and a syslog auth.log are about the same people and
machines: a login is a flow and log lines, a page is a lookup, a flow and a handshake with one uid. What is benign is
not all ordinary: backups, an authorised scanner, polls, uploads and block-list lookups look like attacks.

Blind to: payloads, IPv6, packet loss, sensors that miss traffic, hosts behind NAT, and attackers who adapt.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
