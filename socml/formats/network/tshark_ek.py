"""What `tshark -T ek` and `-T json` write → one event a packet.

It is made for Elasticsearch's `_bulk`: an action line, which is skipped, then a packet. Names repeat the protocol and have
`_` for `.` (`ip_ip_src`); they are put back for the fields that fill columns. A field that occurs twice is written twice
with the same key, which JSON parsers answer differently: here it becomes a list. For flows, read the capture itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from socml.formats._json import flatten, is_too_deep, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, is_array, json_records, line_records
from socml.formats.network._tshark import packet_event

__all__ = ["TsharkEk"]

_LAYERS = re.compile(rb'"_source":\s{0,20}\{\s{0,20}"layers":\s{0,20}\{')


class TsharkEk:
    """tshark's output for Elasticsearch."""

    name = "tshark-ek"
    about = "tshark -T ek and -T json: one event a packet"
    specification = "https://www.wireshark.org/docs/man-pages/tshark.html"
    examples = (
        '{"index":{"_index":"packets-2024-02-29","_type":"doc"}}',
        '{"timestamp":"1709208416250","layers":{"frame":{"frame_frame_time_epoch":"1709208416.250000000"},"ip":'
        '{"ip_ip_src":"192.0.2.7","ip_ip_dst":"198.51.100.1","ip_ip_proto":"6"},"tcp":{"tcp_tcp_srcport":"5000"}}}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of packets with layers."""
        if head.lstrip().startswith(b"["):
            return 0.99 if _LAYERS.search(head, 0, 4096) else 0.0
        lines = head_lines(head, 4)
        packets = [line for line in lines if line.startswith(b'{"timestamp"') and b'"layers"' in line[:80]]
        actions = [line for line in lines if line.startswith(b'{"index":{"_index":"packets-')]
        return 0.99 if packets or (lines and len(actions) == len(lines)) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's packets."""
        return batches(json_records(source), _packet) if is_array(source) else batches(line_records(source), _event)


def _packet(record: bytes) -> dict[str, object]:
    """Return the columns of a packet of `-T json`, whose fields have their whole names, in layers within layers."""
    found = loads_exactly(record)
    fields: dict[str, object] = {}
    layers = [found.get("_source")]
    while layers:
        layer = layers.pop()
        for name, value in layer.items() if isinstance(layer, dict) else ():
            if isinstance(value, dict):
                layers.append(value)
            else:
                fields.setdefault(name, value)
    if not fields:
        raise ValueError("no layers")
    return packet_event(fields, None)


def _event(line: bytes) -> dict[str, object]:
    try:
        found = json.loads(line.decode("utf-8", "backslashreplace"), object_pairs_hook=_kept)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {str(error)[:100]}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    if is_too_deep(line, found):
        raise ValueError("nested too deeply")
    if set(found) == {"index"}:
        raise Skip("bulk action")
    layers = found.get("layers")
    if not isinstance(layers, dict):
        raise ValueError("no layers")
    fields = {}
    for name, value in flatten(layers).items():
        layer, _, rest = name.partition(".")
        fields[_dotted(layer, rest)] = value
    try:
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (UnicodeEncodeError, ValueError):
        raise ValueError("half a surrogate pair") from None
    return packet_event(fields, found.get("timestamp"))


def _kept(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found


_WHOLE = {"time_epoch", "full_uri", "user_agent"}


def _dotted(layer: str, rest: str) -> str:
    """Return tshark's own name: of 'ip' and 'ip_ip_src' 'ip.src'."""
    name = rest.rsplit(".", 1)[-1]
    for prefix in (f"{layer}_{layer}_", f"{layer}_"):
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    for kept in _WHOLE:
        if name == kept or name.endswith(f"_{kept}"):
            head = name.removesuffix(kept).rstrip("_")
            return ".".join(part for part in (layer, *head.split("_"), kept) if part)
    if name.endswith("extensions_server_name"):
        return f"{layer}.handshake.extensions_server_name"
    return ".".join((layer, *name.split("_")))
