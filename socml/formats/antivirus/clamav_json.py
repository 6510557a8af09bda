"""What `clamscan --gen-json` writes → events, one an object: the scanned file and each object found within it.

A document is one object over many lines; objects nest in `ContainedObjects`. Traps: there is no time, so `time` is
null; an object without `Viruses` is clean, or was not scanned to its end; paths of contained objects lie in a
temporary folder. `raw` holds one object as JSON, without those in it; `parents` tells where it was found.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._fields import Fields
from socml.formats._json import flatten, json_bytes, loads_exactly
from socml.formats._multiline import Broken, grouped_records
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats.antivirus._clamav import detection

__all__ = ["ClamavJson"]

_DOCUMENT_LIMIT = 64 << 20  # bytes


class ClamavJson:
    """ClamAV's description of a scanned file."""

    name = "clamav-json"
    about = "ClamAV --gen-json: one event a file or object in it"
    specification = "https://docs.clamav.net/manual/Usage/Scanning.html"
    one_a_line = False
    examples = (
        '{"Magic":"CLAMJSONv0","RootFileType":"CL_TYPE_ZIP","FileName":"x.zip","FileType":"CL_TYPE_ZIP","FileSize":404,'
        '"FileMD5":"ce2ff87e1e11eb0044e7db6b2c7a2717"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the document's mark."""
        return 0.98 if head.lstrip().startswith(b"{") and b'"CLAMJSONv' in head[:4096] else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the objects of the file's documents."""
        return batches(_objects(source), _event)


def _objects(source: Source) -> Iterator[tuple[int, bytes]]:
    for number, document in grouped_records(source, lambda line: line.startswith(b"{"), limit=_DOCUMENT_LIMIT):
        try:
            waiting: list[tuple[dict[str, object], str]] = [(loads_exactly(document), "")]
        except ValueError as error:
            yield number, Broken.of(document, f"not a document: {error}")
            continue
        while waiting:
            found, parents = waiting.pop()
            inside = found.pop("ContainedObjects", None)
            yield number, json_bytes({**found, "parents": parents} if parents else found)
            path = f"{parents}!{found.get('FileName', '')}" if parents else str(found.get("FileName", ""))
            if isinstance(inside, list):
                waiting += [(child, path) for child in reversed(inside) if isinstance(child, dict)]


def _event(record: bytes) -> dict[str, object]:
    if isinstance(record, Broken):
        raise ValueError(record.reason)
    fields = Fields(flatten(loads_exactly(record)))
    found, md5, path = fields.take("Viruses"), fields.text("FileMD5"), fields.text("FilePath", "FileName")
    names = found if isinstance(found, list) else [found] if found else []
    row = detection(path, str(names[0]) if names else "", md5)
    if not names:
        row |= {"class_uid": 1001, "event_category": "file", "event_action": "file_scanned"}
        row |= {"threat_name": None, "event_severity": None}
    row["extra"] = {"viruses": " ".join(map(str, names)) if len(names) > 1 else None, **fields.rest()}
    return row
