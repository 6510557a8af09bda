"""A Zeek log as JSON lines → events. The type of log is told by `_path`, or by its fields."""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._json import as_object
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines, sized_blocks
from socml.formats.network._zeek_json_blocks import parse_block
from socml.formats.network._zeek_json_lines import parsed_lines
from socml.formats.network._zeek_logs import LOGS

__all__ = ["ZeekJson"]


class ZeekJson:
    """Zeek logs written with `LogAscii::use_json=T`: one object a line, `ts` in seconds or ISO 8601."""

    name = "zeek-json"
    about = "Zeek logs as JSON lines, of any type: conn, dns, http, ssl, …"
    specification = "https://docs.zeek.org/en/master/log-formats.html#zeek-json-format-logs"
    examples = (
        '{"ts":1664462456.755299,"uid":"C5xhsO3uGtOfyrBlHh","id.orig_h":"172.16.1.11","id.orig_p":40042,'
        '"id.resp_h":"8.8.8.8","id.resp_p":53,"proto":"udp","conn_state":"SHR"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with Zeek's fields; half sure of other objects in a file named as Zeek names its logs."""
        found = [as_object(line) for line in head_lines(head, 5)]
        objects = [o for o in found if o]
        if not objects or len(objects) < len(found) / 2:
            return 0.0
        first = objects[0]
        if "event_type" in first and "timestamp" in first:
            return 0.0
        if "ts" in first and ({"uid", "_path", "id.orig_h", "id", "fuid"} & set(first)):
            return 0.98
        named = file_name.split(".", maxsplit=1)[0].lower()
        if named in LOGS or named in _OTHER_LOGS:
            return 0.9 if "ts" in first else 0.6
        return 0.3 if "ts" in first else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events, whole blocks of lines at a time. One file may hold several types of log."""
        name = source.path.name
        for block, is_large in sized_blocks(source, options):
            if is_large:
                yield from parse_block(block, name, options)
            else:
                yield from parsed_lines(enumerate(block.lines(), block.first_line), name, options)


_OTHER_LOGS = {"x509", "stats", "capture_loss", "dce_rpc", "loaded_scripts", "packet_filter", "dpd", "ntp", "pe"}
