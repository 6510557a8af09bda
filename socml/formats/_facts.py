"""A message in free text → the addresses, ports, user, path, URL and outcome that it tells, by patterns in a stated order.

For messages that no declaration in `messages/` takes. An address's part is told by the word before it (`from`, `client`,
`rhost`; `to`, `server`, `->`); the first without such a word is the source. Every pattern takes linear time, and looks at
the first `LONGEST` characters. Words are English, or of one of `_other_languages`. Blind to who an unnamed second address is.
"""

from __future__ import annotations

import re
from itertools import chain

from socml.formats import _other_languages as elsewhere
from socml.formats._addresses import address
from socml.formats._users import user_of
from socml.formats._values import outcome_of

__all__ = ["LONGEST", "TELLS", "facts_of"]

LONGEST = 4096  # characters of a message that are looked at
# What a message holds that tells anything
_HINT = (
    r"(?i)[0-9]\.[0-9]{1,3}\.[0-9]|:[0-9a-f]{0,4}:|[/\\]|user|account|acct|usr|uname|login|logon|logname|principal|member|passw|auth|credential|identity|"
    r"fail|success|succeed|deny|deni|reject|refus|invalid|incorrect|forbid|block|drop|mismatch|bad |wrong |not |illegal|disallow|locked|no such|"
    r"too many|violation|break-in|accept|grant|permit|allow|logged|signed|sign|passed|" + elsewhere.HINT
)
TELLS = re.compile(_HINT)
_PORT = r"(?:[:#](?P<port1>\d{1,5})\b|\((?P<port2>\d{1,5})\)|/(?P<port3>\d{3,5})\b|\[(?P<port6>\d{1,5})\]|\)\(PORT=(?P<port7>\d{1,5})\)|\]:(?P<port8>\d{1,5})\b|\]?,? port:? ?=?(?P<port4>\d{1,5})\b)?"
_ADDRESS = re.compile(
    r"(?<![\w.])(?P<v4>\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:\.(?P<port5>\d{2,5})(?![\w.])|(?![\w]|\.\w)" + _PORT + ")"
    + r"|(?<![\w:.])(?P<v6>(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?)(?![\w:]|\.\w)"
    + r"(?:\]:(?P<port9>\d{1,5})\b|\]?,? port:? ?=?(?P<port10>\d{1,5})\b)?"
)  # fmt: skip
_WORD_BEFORE = re.compile(
    r"([\w-]{1,32})[^\w)]{0,4}$"
)  # what is in parentheses is a remark, as a name that a client claims
_MAIL_HOST = re.compile(
    r"\bH=(?:[^\s(]{1,24} )?(?:\([^)]{0,30}\) )?\[$"
)  # exim's; a client's own text may hold one before
_CLAIMED = re.compile(r"(?:(?<!\()@\[?|\(\[)$")  # of an account, or what a mail client says that it is
# Of whom VMware and PgBouncer tell: `user root@`, `for 'root@`, `shop/bob@`
_OF_SOMEBODY = re.compile(
    r"(?i)(?:(?:^|^#\d{1,9} |\| )[\w.\\-]{1,39}@$|(?:\b(?:user|by|log-?[io]n) |\bfor '| [\w.-]{1,64}/)[\w.\\-]{1,64}@$)"
)
_ARROW = re.compile(r"(?:->|=>|→|\bto)\s{0,24}[\"'\[(<]{0,2}(?:[\w-]{1,24}[:/]|[\w.-]{1,64} \()?$")
_DONE_ON = re.compile(r"(?i)\bby [^\s@]{1,64} on $")  # where somebody did something, who connected to nothing
_NOBODY = ("::", "0.0.0.0")  # all of a machine's own addresses, or none  # noqa: S104
_TO_HOST = re.compile(r"(?i)\bto (?:the )?(?:remote |target )?(?:host|server|node|machine)[ :=]{1,3}['\"\[(]?$")
_IN_URL = re.compile(r"[a-z]://(?:[^\s/@]{1,64}@)?$")  # the server's, whoever asks
_VERSION = re.compile(r"(?i)\bv(?:er(?:sion)?)?(?: number| name)?[ :=]{0,3}$|\bVRMF\($")
_SOURCE = frozenset(
    "from client src source saddr rhost remote peer ip addr address by host clientip client_ip client-ip src_ip srcip source_ip "
    "remote_addr remote_ip remoteip remoteaddr remote_address attacker ipaddress ip_address user rip connecting caller origin rom r_ip oip".split()
)
_VIRTUAL = frozenset({"vip", "vserver"})  # an address that stands for others: a named destination is nearer
_DESTINATION = frozenset(
    "to master primary replica dst dest destination daddr server upstream target on at local laddr dst_ip dstip dest_ip destination_ip lip listen "
    "listening backend gateway nexthop interface i vip vserver".split()
)
_WEAK = frozenset({"user", "by", "caller", "host"})  # an address after them gives way to one after a better word
_FAILURE = re.compile(
    r"(?i)(?<!\b0 )\b(?:fail(?:ed|ure|ures|s|ing)?(?! ?[:=] ?0\b)|(?:perm|temp)fail|(?:fail|un)\w{0,12}success\w{0,5}|unsuccessful(?:ly)?|den(?:y|ied|ies)|reject(?:ed|s|ing)?|refus(?:ed|es|ing)|invalid|incorrect|"
    r"unauthori[sz]ed|forbidden|block(?:ed|ing)?|drop(?:ped)?|mismatch|(?:does|did)(?:n't| not) match|(?:bad|wrong) (?:password|user\w{0,4}|login|credential\w?|auth\w{0,14})|"
    r"not (?:allowed|permitted|authori[sz]ed|authenticated|found|exist|valid|accepted|recogni[sz]ed)|illegal|disallowed|locked (?:out|user|account)|unknown user|"
    r"(?:could|can) ?not (?:be )?(?:authenticate|verif|log ?in\b)\w{0,3}|(?:token|jwt|password|account|credentials?|certificate|key) (?:has |is )?expired|unable to (?:authenticate|log ?(?:in|on)|verify)|no such user|insufficient (?:access|privileges?|permissions?|rights|authority)|user unknown|auth-?fail\w{0,4}|no (?:matching |pg.hba\.conf )?entry for|auth\w{0,11} (?:error|failure)|too many (?:\w{1,16} ){0,2}(?:attempts|failures)|violation|break-in)(?![\w-])"
)
_SUCCESS = re.compile(
    r"(?i)\b(?:accept(?:ed|s)|(?<!to )(?:accept|permit|allow)|success(?:ful|fully)?|succeeded|granted|permitted|allowed|authenticated|authori[sz]ed|(?:logged|signed) (?:in|on)|"
    r"(?:log|sign)-?in ok|ok login|passed|admitted(?= \(| from|$))\b"
)
# What a text names so: `result=ok`, and before a stop, the end or another name, `status: FAILED`
_NAMED_OUTCOME = re.compile(
    r"(?i)(?<![?&\w])(?:result|outcome|status|verdict|decision)(?:[=:(]['\"<]?(?:[1-5]\d\d )?([A-Za-z]{2,24})(?![\w=:/ -])|(?:=|:? <?)['\"]?(?:[1-5]\d\d )?([A-Za-z]{2,24})(?=['\">)\]]{0,2}(?:[\s,;:.]{0,4}$|[,;:.)\n]| {2}| [\w-]{1,40}[=:])))"
)
_LOGON_CODE = re.compile(r"(?i)(?<![?&\w])(?:result|status)[=:] ?([1-5]\d\d)(?=[\s,;]|$)")
_PASSED = re.compile(
    r"(?:[:=>|\]_-] ?|\b2\d\d )OK[.!)]?$|\bauth(?:entication)? ok\b|\b(?:LOGIN|AUTH) PASS\b|\bPASS (?i:tcp|udp|icmp) |\[(?i:pass)\]|\bpass (?:in|out) on "
)  # not a password
_LOGON = re.compile(
    r"(?i)\b(?:log-?[io]ns?|logged (?:in|on)|log (?:in|on)|sign(?:ed)?[ -]?(?:in|on)|password|passwd|authenticat\w{0,5}|auth(?![:=]\w)|credentials?|"
    r"(?:invalid|illegal|unknown) user|pam_\w{1,20}|(?:log-?[io]n|auth\w{0,14})_(?:fail|succ|den|err|ok)\w{0,10})\b"
)
_REQUEST = re.compile(
    r"\b(?P<method>GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND) (?:(?P<between>[1-5]\d\d) )?\"?(?P<url>(?=/|\*|[\w.+-]{1,255}(?:/|:[/\d])|\[)[^\s\"']{1,2000})\"?(?:(?: (?:HTTP/[\d.]{1,3}\"?|responded|returned)| for [\da-fA-F.:\[\]]{3,50},)? \"?(?P<status>[1-5]\d\d)(?=\"| |$|[,;)]))?"
)
_STATUS_FIRST = re.compile(r"(?:^|[\d \]] )(?P<status>[1-5]\d\d) \"?$")  # before the request, as a proxy writes it
_STATUS_LAST = re.compile(r"(?:: |=> |-> )(?P<status>[1-5]\d\d)$")
_URL = re.compile(r"\b(?:https?|ftp|wss?)://[^\s\"'<>\])]{1,2000}")
_PATHS = (
    re.compile(r"(?<!\w)[\"'](?P<path>/[\w.@+~ /-]{1,500})[\"']"),
    re.compile(r"(?<![\w/:.\"'-])(?P<path>/[\w.@+~-]{1,255}(?:/[\w.@+~-]{1,255}){1,30}/?)"),
    re.compile(r"(?<!\w)(?P<path>[A-Za-z]:\\[^\s\"'<>|*?]{1,500})"),
    re.compile(r": (?P<path>/[\w.@+~-]{1,255})$"),
)
_AFTER_SLASH = re.compile(r"/(\d{1,5})\b")  # a port of few digits, where the address before had one as well
_MASK = re.compile(r"/(\d{1,2})(?![\d.])")
_ALL_BITS = 32
_GAP = re.compile(r"[ \t]{1,3}|\" \"|[ \t]{0,24}(?:-{1,2}>|=>|→|,|<->|>)[ \t]{0,24}")
_BLANKS = re.compile(r"[ \t]{1,3}")
_IN_PARENTHESES = re.compile(r"[ \t]{1,3}\(")  # `192.0.2.7:4022 (192.0.2.1:22)`: who came, and where to
# Of firewalls that write the address and the port of both ends in columns: `TCP 192.0.2.7 4022 192.0.2.5 22`
_COLUMNS = re.compile(
    r"(?i)(?:\b(?P<transport>tcp|udp)[ ,]{1,3}|(?<![\w.:/-]))(?P<source_ip>[\d.]{7,15})[ ,]{1,3}(?P<source_port>\d{1,5})[ ,]{1,3}(?P<destination_ip>[\d.]{7,15})[ ,]{1,3}(?P<destination_port>\d{1,5})(?![\d.])"
)
_TRANSPORT = re.compile(r"(?i)(?<![\w./-])(?:tcp|udp|icmp|sctp)(?![\w.-])")
_BOTH_PORTS = re.compile(r"[ \t]{1,3}([1-6]?\d{1,4})[ \t]{1,3}([1-6]?\d{1,4})(?=[ \t]|$)")  # behind two addresses
_ORIGINAL = re.compile(r"\boip=$")  # of whom a mail server's proxy asks for
_LARGEST_PORT = 65535
_SERVICES, _PASSING = 1024, 32768  # the first port that is not kept for services; the least that Linux gives a client
# `Source IP: …`, `Destination Port: …`
_OF_SIDE = re.compile(
    r"(?i)\b(source|src|destination|dest|dst)[ _-](?:ip |network )?(?:ip|addr|address)(?:e?s)?[\"']? ?[:=] ?[\"'\[(]?$"
)
_PORT_OF_SIDE = re.compile(r"(?i)\b(source|src|destination|dest|dst)[ _-]port ?[:= ] ?(\d{1,5})\b")


def facts_of(text: str) -> dict[str, object]:
    """Return the event columns that a message tells.

    Examples
    --------
    >>> facts_of("Login failed for user 'bob' from 192.0.2.7 port 4022")["user_name"]
    'bob'
    >>> found = facts_of("denied tcp 192.0.2.50(51514) -> 198.51.100.10(22), 1 packet")
    >>> found["source_ip"], found["source_port"], found["destination_port"], found["event_outcome"]
    ('192.0.2.50', 51514, 22, 'failure')
    >>> facts_of("started in 12 ms")
    {}
    """
    text = text[:LONGEST]
    row: dict[str, object] = {}
    if not TELLS.search(text):
        return row
    _addresses(text, row)
    if columns := _COLUMNS.search(text):
        row |= _ends_of(columns.groupdict())
    if "source_ip" in row and ("source_port" in row or "destination_port" in row):
        named = {found.lower() for found in _TRANSPORT.findall(text)}
        row |= {"network_transport": named.pop()} if len(named) == 1 else {}
    plain = elsewhere.unaccented(text.replace("_", " "))
    outcome = _outcome(text, plain)
    if user := user_of(text, ended=outcome is not None, of_logon=_LOGON.search(text) is not None):
        row["user_name"] = user
    _requests(text, row)
    if outcome:
        row["event_outcome"] = outcome
        if (row.get("user_name") or row.get("source_ip")) and _is_logon(text, plain, row):
            row |= {"class_uid": 3002, "event_category": "authentication", "event_action": "login"}
    return row


def _outcome(text: str, plain: str) -> str | None:
    """Return how a message says that something ended; `plain` is it without accents and low lines, as in LOGIN_FAILURE."""
    words = text.replace("_", " ")
    named = [*chain(*_NAMED_OUTCOME.findall(text)), *(_LOGON_CODE.findall(text) if _LOGON.search(text) else ())]
    told = {outcome_of(value) for value in named if value} - {None}
    if "failure" in told or _FAILURE.search(words) or elsewhere.FAILURE.search(plain):
        return "failure"
    is_well = told or _PASSED.search(text) or _SUCCESS.search(words) or elsewhere.SUCCESS.search(plain)
    return "success" if is_well else None


def _ends_of(columns: dict[str, str | None]) -> dict[str, object]:
    """Return both ends of a connection; nothing if what stands there are none."""
    addresses = [address(columns[f"{side}_ip"]) for side in ("source", "destination")]
    ports = [int(columns[f"{side}_port"] or 0) for side in ("source", "destination")]
    if None in addresses or not all(0 < port <= _LARGEST_PORT for port in ports):
        return {}
    if columns["transport"] is None and ports[0] < _SERVICES <= _PASSING <= ports[1]:  # the server's first
        addresses, ports = addresses[::-1], ports[::-1]
    names = ("source_ip", "destination_ip", "source_port", "destination_port")
    return dict(zip(names, (*addresses, *ports), strict=True))


def _is_logon(text: str, plain: str, row: dict[str, object]) -> bool:
    of_somebody = (
        "user_name" in row and "file_path" not in row and elsewhere.LOGON_OF_SOMEBODY.search(plain) is not None
    )
    return of_somebody or _LOGON.search(text) is not None or elsewhere.LOGON.search(plain) is not None


def _requests(text: str, row: dict[str, object]) -> None:
    if request := _REQUEST.search(text):
        url = request["url"] if "(" in request["url"] else request["url"].rstrip(")")
        row["http_request_method"], row["url_original"] = request["method"], url
        first = _STATUS_FIRST.search(text, max(0, request.start() - 8), request.start())
        if (
            told := request["status"]
            or request["between"]
            or (first and first["status"])
            or ((last := _STATUS_LAST.search(text.rstrip())) and last["status"])
        ):
            row["http_response_status_code"] = status = int(told)
            row["event_outcome"] = "success" if status < 400 else "failure"
    elif url := _URL.search(text):
        row["url_original"] = url[0].rstrip(".,;")
    for pattern in _PATHS:
        if path := pattern.search(text):
            if path["path"] != row.get("url_original"):
                row["file_path"] = path["path"].rstrip(".,;")
            break


def _addresses(text: str, row: dict[str, object]) -> None:
    """Take the addresses on either side: the first of the best word before it, the last of `key=` written twice."""
    last: re.Match[str] | None = None
    best = {side: 3 if f"{side}_ip" in row else -1 for side in ("source", "destination")}  # what a pattern said stays
    keys: dict[str, str] = {}
    for found in _ADDRESS.finditer(text):
        ip = address(found["v4"] or found["v6"])
        before = text[max(0, found.start() - 40) : found.start()]
        if ip in _NOBODY:
            _own_port(found, before, row)
        if (
            ip is None
            or ip in _NOBODY
            or _is_network(found)
            or (_CLAIMED.search(before) and not _OF_SOMEBODY.search(before))
            or (_DONE_ON.search(before) and not _LOGON.search(text))
        ):
            continue
        is_next = _goes_on(last, found, row)
        side = "destination" if is_next else _side(before, row)
        last = found
        worth = _worth(before, ip)
        key = found_key[1] if before.endswith("=") and (found_key := _WORD_BEFORE.search(before)) else ""
        if side and (
            worth > best[side]
            or (
                worth == best[side]
                and (_MAIL_HOST.search(before) or _ORIGINAL.search(before) or (key and key == keys.get(side)))
            )
        ):
            best[side], keys[side] = worth, key
            row[f"{side}_ip"] = ip
            row.pop(f"{side}_port", None)
            port = _port_behind(found)
            if is_next and port is None and (both := _BOTH_PORTS.match(text, found.end())) and "source_port" not in row:
                row["source_port"], port = int(both[1]), both[2]
            by_slash = is_next or (side == "destination" and "source_port" in row)
            if port is None and by_slash and (behind := _AFTER_SLASH.match(text, found.end())):
                port = behind[1]
            if port and 0 < int(port) <= _LARGEST_PORT:
                row[f"{side}_port"] = int(port)
    for found in _PORT_OF_SIDE.finditer(text) if "ource" in text else ():
        side = "source" if found[1].lower().startswith("s") else "destination"
        if f"{side}_ip" in row and int(found[2]) <= _LARGEST_PORT:
            row.setdefault(f"{side}_port", int(found[2]))


def _port_behind(found: re.Match[str]) -> str | None:
    return next((found[f"port{n}"] for n in range(1, 11) if found[f"port{n}"]), None)


def _own_port(found: re.Match[str], before: str, row: dict[str, object]) -> None:
    """Take the port of all of a server's own addresses, where somebody came to it: `client: 192.0.2.7, server: 0.0.0.0:443`."""
    port = int(_port_behind(found) or 0)
    if 0 < port <= _LARGEST_PORT and "source_ip" in row and _side(before, row) == "destination":
        row.setdefault("destination_port", port)


def _is_network(found: re.Match[str]) -> bool:
    """Return whether an address is rather that of a network: 0.0.0.0/0, 10.0.0.0/8."""
    mask = _MASK.match(found.string, found.end()) if found["v4"] else None
    if mask is None:
        return False
    bits = int.from_bytes(bytes(map(int, found["v4"].split("."))), "big")
    return int(mask[1]) < _ALL_BITS and bits & ((1 << (_ALL_BITS - int(mask[1]))) - 1) == 0


def _goes_on(last: re.Match[str] | None, found: re.Match[str], row: dict[str, object]) -> bool:
    """Return whether an address stands right behind the source's: `10.0.0.1:80 10.0.0.2:443`, `a -> b`."""
    if last is None or "source_ip" not in row or "destination_ip" in row:
        return False
    gap = _GAP if "source_port" in row else _BLANKS
    has_own_port = "source_port" in row and found["port1"] not in (None, str(row["source_port"]))
    return gap.fullmatch(found.string, last.end(), found.start()) is not None or (
        has_own_port and _IN_PARENTHESES.fullmatch(found.string, last.end(), found.start()) is not None
    )


def _worth(before: str, ip: str) -> int:
    """Return how much an address says by the word before it: 2 of a known word, 1 of a weak one or none, 0 of this machine."""
    if ip.startswith("127.") or ip == "::1":
        return 0
    if _MAIL_HOST.search(before):
        return 2
    found = _WORD_BEFORE.search(before)
    word = found[1].lower() if found else ""
    return (
        2
        if (word in _DESTINATION and word not in _VIRTUAL)
        or word in elsewhere.DESTINATION
        or (word in _SOURCE and word not in _WEAK)
        else 1
    )


def _side(before: str, row: dict[str, object]) -> str:
    """Return whose address follows what stands before it: "source", "destination", or neither."""
    if _ARROW.search(before) and "source_ip" in row:
        return "destination"
    found = _WORD_BEFORE.search(before)
    word = found[1].lower() if found else ""
    if word == "release" or _VERSION.search(before):
        return ""
    if _IN_URL.search(before) or _TO_HOST.search(before):
        return "destination"
    if of := _OF_SIDE.search(before):
        return "source" if of[1].lower().startswith("s") else "destination"
    return "destination" if word in _DESTINATION or word in elsewhere.DESTINATION else "source"
