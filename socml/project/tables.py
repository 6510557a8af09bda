"""The tables that are handed on → their contracts: names, types, units, and what may be missing.

Every stage reads and writes these, as Parquet. Names are the Elastic Common Schema's with `_` for `.`;
units are a suffix. Missing is null, never 0, "-" or an empty string. Time is UTC, in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from socml.project.errors import ContractError, DataError, did_you_mean
from socml.project.sanitize import visible_line

if TYPE_CHECKING:
    import pandas as pd

TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())
EXTRA = pa.map_(pa.string(), pa.string())


@dataclass(frozen=True)
class Column:
    """One column of a contract: its type, what it means (with unit), and whether it may be null."""

    type: pa.DataType
    about: str
    required: bool = False


EVENT: dict[str, Column] = {
    # book-keeping
    "event_id": Column(pa.string(), "stream and place of the record: 32 hexadecimal digits", required=True),
    "time": Column(TIME, "when it happened; null where the record does not say"),
    "dataset": Column(pa.string(), "the dataset recipe it was ingested by", required=True),
    "class_uid": Column(pa.int32(), "OCSF event class: 4001 network, 4003 DNS, 4002 HTTP, 3002 authentication, …"),
    "message": Column(pa.string(), "the free text of the record, if it has one"),
    "raw": Column(pa.string(), "the record as it came", required=True),
    "source_file": Column(pa.string(), "file it was read from", required=True),
    "source_line": Column(pa.int64(), "line (or record number) in that file, from 1", required=True),
    # what
    "event_category": Column(pa.string(), "network, authentication, web, process, file, intrusion_detection, …"),
    "event_action": Column(pa.string(), "what was done: ssh_login, dns_query, alert, …"),
    "event_outcome": Column(pa.string(), "success, failure or unknown"),
    "event_severity": Column(pa.int32(), "0 to 100, higher is worse"),
    "observer_name": Column(pa.string(), "the sensor that saw it"),
    "host_name": Column(pa.string(), "the host it happened on"),
    "user_name": Column(pa.string(), "the user it is about"),
    "acting_user_name": Column(pa.string(), "who acts, where the account that is used is another's: sudo, su, runas"),
    "target_user_name": Column(
        pa.string(), "the account that is used or changed, where it is another's: sudo, su, runas"
    ),
    "event_count": Column(pa.int64(), "how often it happened, where one record stands for several; null is once"),
    # network
    "source_ip": Column(pa.string(), "address of the originator"),
    "source_port": Column(pa.int32(), "port of the originator"),
    "destination_ip": Column(pa.string(), "address of the responder"),
    "destination_port": Column(pa.int32(), "port of the responder"),
    "network_transport": Column(pa.string(), "tcp, udp, icmp, …"),
    "network_protocol": Column(pa.string(), "application protocol: dns, http, ssl, ssh, …"),
    "duration_s": Column(pa.float64(), "seconds"),
    "source_bytes": Column(pa.int64(), "payload bytes from the source"),
    "destination_bytes": Column(pa.int64(), "payload bytes from the destination"),
    "source_packets": Column(pa.int64(), "packets from the source"),
    "destination_packets": Column(pa.int64(), "packets from the destination"),
    "connection_state": Column(pa.string(), "Zeek's conn_state, Suricata's flow state"),
    "network_community_id": Column(pa.string(), "Community ID flow hash"),
    # DNS, HTTP, TLS
    "dns_question_name": Column(pa.string(), "name asked for"),
    "dns_question_type": Column(pa.string(), "A, AAAA, TXT, …"),
    "dns_response_code": Column(pa.string(), "NOERROR, NXDOMAIN, …"),
    "dns_answers": Column(TEXTS, "answers"),
    "http_request_method": Column(pa.string(), "GET, POST, …"),
    "url_original": Column(pa.string(), "URL or path as it was sent"),
    "http_response_status_code": Column(pa.int32(), "200, 404, …"),
    "user_agent_original": Column(pa.string(), "User-Agent as it was sent"),
    "tls_version": Column(pa.string(), "TLSv12, …"),
    "tls_client_server_name": Column(pa.string(), "server name the client asked for (SNI)"),
    "tls_client_ja3": Column(pa.string(), "JA3 fingerprint of the client"),
    # process, file
    "process_name": Column(pa.string(), "program"),
    "process_pid": Column(pa.int64(), "process number"),
    "process_command_line": Column(pa.string(), "command line"),
    "process_parent_name": Column(pa.string(), "program that started it"),
    "file_path": Column(pa.string(), "path"),
    "file_hash": Column(pa.string(), "algorithm:hexadecimal"),
    "file_change": Column(pa.string(), "added, removed, changed"),
    # detection, vulnerability
    "rule_id": Column(pa.string(), "id of the rule that fired"),
    "rule_name": Column(pa.string(), "its name"),
    "threat_name": Column(pa.string(), "malware or threat named by the tool"),
    "threat_technique_id": Column(TEXTS, "ATT&CK techniques named by the tool"),
    "vulnerability_id": Column(pa.string(), "CVE"),
    "vulnerability_score": Column(pa.float64(), "CVSS base score, 0 to 10"),
    # the rest of the record, so that no field is lost
    "extra": Column(EXTRA, "fields of the record that have no column, as text"),
}

TRUTH: dict[str, Column] = {
    "event_id": Column(pa.string(), "the event", required=True),
    "malicious": Column(pa.bool_(), "what the dataset's publisher says; null where they do not say"),
    "family": Column(pa.string(), "attack or behaviour, in the publisher's words"),
    "technique": Column(pa.string(), "ATT&CK technique, where known"),
}

TRUTH_BESIDE: dict[str, Column] = {
    "source_file": Column(pa.string(), "file of records, from the folder of this table", required=True),
    "source_line": Column(pa.int64(), "line in that file, from 1", required=True),
    **{name: TRUTH[name] for name in ("malicious", "family", "technique")},
}

QUARANTINE: dict[str, Column] = {
    "source_file": Column(pa.string(), "file", required=True),
    "source_line": Column(pa.int64(), "line or record number, from 1", required=True),
    "reason": Column(pa.string(), "why it could not be read", required=True),
    "raw": Column(pa.binary(), "the bytes as they came", required=True),
    "segment": Column(pa.string(), "the file's life that it is of: 16 hexadecimal digits; null in older workspaces"),
    "put_at": Column(TIME, "when it was put here; null in older workspaces"),
}

FEATURE_KEYS: dict[str, Column] = {
    "row_id": Column(pa.string(), "event_id, or a hash of entity and window: 32 hexadecimal digits", required=True),
    "time": Column(TIME, "the event's time, or the window's start"),
    "entity": Column(pa.string(), "whom the row is about, as an analyst would write it"),
}

SCORE: dict[str, Column] = {
    "row_id": Column(pa.string(), "the feature row", required=True),
    "time": Column(TIME, "as in the feature table"),
    "entity": Column(pa.string(), "as in the feature table"),
    "anomaly_score": Column(pa.float64(), "higher is more anomalous; comparable within a model version", required=True),
    "percentile": Column(pa.float64(), "0 to 100: share of the model's reference rows scoring below", required=True),
    "rank": Column(pa.int64(), "1 is the most anomalous of the run", required=True),
    "model_version": Column(pa.string(), "name/version in the registry", required=True),
    "feature_hash": Column(pa.string(), "hash of the feature set's recipe", required=True),
    "events_snapshot": Column(pa.string(), "hash of the event files that were read", required=True),
    "run_id": Column(pa.string(), "the scoring run", required=True),
}

EXPLANATION: dict[str, Column] = {
    "row_id": Column(pa.string(), "the feature row", required=True),
    "position": Column(pa.int32(), "1 pushes most toward anomalous", required=True),
    "feature": Column(pa.string(), "feature column", required=True),
    "value": Column(pa.float64(), "this row's value; null if missing or a category"),
    "category": Column(pa.string(), "this row's value, if a category; the steps that surprise most, if a sequence"),
    "contribution": Column(pa.float64(), "positive pushes toward anomalous; unit of the explainer", required=True),
    "share": Column(pa.float64(), "of all that pushes toward anomalous, 0 to 1; negative pushes away", required=True),
    "contribution_error": Column(pa.float64(), "standard error of the contribution; null if the row's are exact"),
    "value_percentile": Column(pa.float64(), "share of all rows with a lower value, 0 to 100"),
    "entity_low": Column(pa.float64(), "10 % quantile of this entity's other rows; null of the daily list"),
    "entity_high": Column(
        pa.float64(), "90 % quantile of this entity's other rows; of the daily list the most of its earlier days"
    ),
    "everyone_low": Column(pa.float64(), "10 % quantile of all rows"),
    "everyone_high": Column(pa.float64(), "90 % quantile of all rows"),
    "peers": Column(pa.float64(), "share of all entities that reach this value, or have this category, 0 to 1"),
}

QUEUE: dict[str, Column] = {
    "position": Column(pa.int32(), "1 is looked at first", required=True),
    "row_id": Column(pa.string(), "the feature row", required=True),
    "reason": Column(pa.string(), "why it is here: the strategy's reason code", required=True),
    "ranking_score": Column(pa.float64(), "what it was ordered by, after labels", required=True),
}


# What no column of somebody's table may be called: ours, and what a feature table adds.
_RESERVED = frozenset((*EVENT, *FEATURE_KEYS, "window_start"))


def schema(contract: dict[str, Column]) -> pa.Schema:
    """Return the Arrow schema of a contract, each column's meaning in its metadata.

    Examples
    --------
    >>> schema(TRUTH).names
    ['event_id', 'malicious', 'family', 'technique']
    """
    return pa.schema(
        [pa.field(n, c.type, nullable=not c.required, metadata={"about": c.about}) for n, c in contract.items()]
    )


def check_table(table: pa.Table, contract: dict[str, Column], *, what: str, more: bool = False) -> pa.Table:
    """Return `table` in the contract's column order, or raise naming the column that breaks it.

    `more` allows further columns, kept after the contract's.

    Raises
    ------
    ContractError
        For a missing or unknown column, a type that does not cast without loss, or a null where none may be.

    Examples
    --------
    >>> check_table(pa.table({"event_id": ["a"]}), TRUTH, what="truth")
    Traceback (most recent call last):
    ...
    socml.project.errors.ContractError: truth has no column 'malicious'.
    """
    columns, fields = [], []
    for name, column in contract.items():
        if name not in table.column_names:
            raise ContractError(f"{what} has no column {name!r}.")
        values = table[name]
        if values.type != column.type:
            try:
                values = values.cast(column.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise ContractError(f"{what}: column {name!r} is {values.type}, not {column.type}: {error}") from error
        if column.required and values.null_count:
            raise ContractError(f"{what}: column {name!r} has {values.null_count:,} nulls in {len(values):,} rows.")
        columns.append(values)
        fields.append(pa.field(name, column.type, metadata={"about": column.about}))
    for name in table.column_names:
        if name in contract:
            continue
        if not more:
            raise ContractError(f"{what} has an unknown column {name!r}.{did_you_mean(name, contract)}")
        columns.append(table[name])
        fields.append(table.schema.field(name))
    return pa.table(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def plain_columns(names: Sequence[str], stored: Iterable[str] = ()) -> dict[str, str]:
    """Return what each column of somebody's table is called in the event table.

    A name stays as it is, but: characters that act are written out; one that SQL, which sees no capitals, cannot
    tell from a column of ours gets a "_"; one that it cannot tell from another of the same table gets a number.

    Parameters
    ----------
    stored : own columns that the dataset has already; a name that differs in capitals alone is the same column

    Examples
    --------
    >>> plain_columns(["Time", "bytes", "Bytes", "a\\x00b"])
    {'Time': 'Time_', 'bytes': 'bytes', 'Bytes': 'Bytes_2', 'a\\x00b': 'a␀b'}
    """
    spelt = {name.casefold(): name for name in stored}
    taken: set[str] = set(_RESERVED)
    plain: dict[str, str] = {}
    for name in sorted(names, key=lambda name: spelt.get(name.casefold()) != name):  # what is stored keeps its name
        base = wanted = visible_line(name) or "column"
        if wanted.casefold() in _RESERVED:
            base = wanted = f"{wanted}_"
        number = 2
        while wanted.casefold() in taken:
            wanted, number = f"{base}_{number}", number + 1
        taken.add(wanted.casefold())
        plain[name] = spelt.get(wanted.casefold(), wanted)
    return {name: plain[name] for name in names}


def strange_columns(names: Sequence[str]) -> list[str]:
    """Return the names among a table's own that SQL cannot hold, or cannot tell from another or from one of ours.

    Examples
    --------
    >>> strange_columns(["bytes", "Bytes", "TIME", "a\\x00", "a b; --"])
    ['Bytes', 'TIME', 'a\\x00']
    """
    taken, strange = set(_RESERVED), []
    for name in names:
        if not name or "\0" in name or name.casefold() in taken:
            strange.append(name)
        taken.add(name.casefold())
    return strange


def check_columns(names: Sequence[str]) -> None:
    """Refuse own columns of events that are among the `strange_columns`.

    Raises
    ------
    DataError
    """
    if strange := strange_columns(names):
        raise DataError(
            f"The events have a column named {strange[0][:40]!r}, which SQL cannot tell from another or cannot hold. "
            "Rename it, or ingest the files anew."
        )


def event_table(events: pd.DataFrame) -> pa.Table:
    """Return events in memory as an Arrow table, with every event column, null where absent.

    Raises
    ------
    DataError
        If the table has no column of an event, or one of another type.
    """
    if not any(name in EVENT for name in events.columns):
        raise DataError("The table has none of the columns of events, such as time and source_ip: are these events?")
    if "event_id" not in events.columns:
        events = events.reset_index()
    arrays: dict[str, object] = {}
    for name, column in EVENT.items():
        if name in events.columns:
            try:
                arrays[name] = pa.Array.from_pandas(events[name], type=column.type)
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                raise DataError(f"The events' column {name} is not of type {column.type}. Convert it first.") from None
        else:
            arrays[name] = pa.nulls(len(events), column.type)
    own = [name for name in events.columns if name not in EVENT and name != "index"]
    arrays |= {name: pa.Array.from_pandas(events[name]) for name in own}
    return pa.table(arrays)
