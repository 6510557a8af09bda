"""Files as administrators of Windows, Linux and European shops get them out of their machines: who, from where, to where, with what end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socml.formats._facts import facts_of
from socml.ingestion import peek

# what is special about it → its text, and what each event must tell (None: it must not)
FILES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "sudo's own file, over several lines": (
        "Mar  2 10:00:01 2026 : alice : HOST=web1 : TTY=pts/0 ; PWD=/home/alice ; USER=root ;\n"
        "    COMMAND=/usr/bin/systemctl restart nginx\n"
        "Mar  2 10:00:05 2026 : bob : HOST=web1 : command not allowed ; TTY=pts/1 ;\n"
        "    PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow\n",
        [
            {
                "user_name": "alice",
                "target_user_name": "root",
                "host_name": "web1",
                "process_command_line": "/usr/bin/systemctl restart nginx",
                "event_outcome": "success",
            },
            {"user_name": "bob", "host_name": "web1", "event_outcome": "failure"},
        ],
    ),
    "sudo's own file, one line an entry": (
        "Mar  2 10:00:01 : alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id\n" * 2,
        [{"user_name": "alice", "host_name": None, "process_name": "sudo", "process_command_line": "/usr/bin/id"}] * 2,
    ),
    "a comma within the time is none of a table; program and number without a colon": (
        "2026-03-02 10:00:01,123 ftp1 proftpd[1234] 192.0.2.10 (pc7.example.org[192.0.2.7]): USER alice (Login failed): Incorrect password\n"
        "2026-03-02 10:00:03,123 ftp1 proftpd[1235] 192.0.2.10 (192.0.2.8[192.0.2.8]): FTP session closed.\n",
        [
            {
                "time": "2026-03-02T10:00:01.123000+00:00",
                "host_name": "ftp1",
                "process_name": "proftpd",
                "process_pid": 1234,
                "source_ip": "192.0.2.7",
                "user_name": "alice",
                "event_outcome": "failure",
            },
            {"source_ip": "192.0.2.8", "destination_ip": None, "event_outcome": None},
        ],
    ),
    "a word before brackets that is no program is none": (
        "2026-03-02 10:00:01,123 main worker[12] ready\n2026-03-02 10:00:02,123 main worker[12] ready\n",
        [{"host_name": None, "process_name": None}] * 2,
    ),
    "ausearch -i begins with the title of the process": (
        "----\n"
        "type=PROCTITLE msg=audit(03/02/2026 10:00:01.123:456) : proctitle=/usr/sbin/sshd -D \n"
        "type=USER_LOGIN msg=audit(03/02/2026 10:00:01.123:456) : pid=1234 uid=root auid=unset ses=unset msg='op=login acct=alice "
        "exe=/usr/sbin/sshd hostname=203.0.113.7 addr=203.0.113.7 terminal=ssh res=failed' \n",
        [{"user_name": "alice", "source_ip": "203.0.113.7", "event_outcome": "failure", "event_action": "user_login"}],
    ),
    "netstat of Windows, under a title": (
        "\nActive Connections\n\n"
        "  Proto  Local Address          Foreign Address        State           PID\n"
        "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       980\n"
        "  TCP    192.0.2.7:50123        198.51.100.9:443       ESTABLISHED     4321\n"
        "  TCP    192.0.2.7:3389         203.0.113.7:50200      ESTABLISHED     1200\n",
        [
            {"source_ip": None, "destination_ip": "0.0.0.0", "destination_port": 135, "process_pid": 980},
            {"source_ip": "192.0.2.7", "source_port": 50123, "destination_ip": "198.51.100.9", "destination_port": 443},
            {"source_ip": "203.0.113.7", "source_port": 50200, "destination_ip": "192.0.2.7", "destination_port": 3389},
        ],
    ),
    "w, under what it says of the machine": (
        " 10:00:01 up 12 days,  3:04,  2 users,  load average: 0.00, 0.01, 0.05\n"
        "USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n"
        "alice    pts/0    203.0.113.7      09:58    0.00s  0.05s  0.00s w\n"
        "bob      pts/1    203.0.113.8      09:00    1:00   0.10s  0.02s vim a.txt\n",
        [{"user_name": "alice", "source_ip": "203.0.113.7"}, {"user_name": "bob", "source_ip": "203.0.113.8"}],
    ),
    "lastlog, of accounts never used": (
        "Username         Port     From             Latest\n"
        "root             tty1                      Mon Mar  2 10:00:01 +0100 2026\n"
        "daemon                                     **Never logged in**\n"
        "alice            pts/0    203.0.113.7      Mon Mar  2 11:00:01 +0100 2026\n",
        [
            {"time": "2026-03-02T09:00:01+00:00", "user_name": "root", "source_ip": None},
            {"time": None, "user_name": "daemon"},
            {"time": "2026-03-02T10:00:01+00:00", "user_name": "alice", "source_ip": "203.0.113.7"},
        ],
    ),
    "ss, its numbers at the right and an interface behind the address": (
        "Netid State  Recv-Q Send-Q         Local Address:Port     Peer Address:Port  Process\n"
        'udp   UNCONN 0      0              127.0.0.53%lo:53            0.0.0.0:*     users:(("systemd-resolve",pid=700,fd=13))\n'
        'tcp   ESTAB  0      0                 192.0.2.10:22        203.0.113.7:50123 users:(("sshd",pid=1234,fd=4))\n',
        [
            {"source_ip": None, "destination_ip": "127.0.0.53", "destination_port": 53, "process_name": "systemd-resolve"},
            {
                "source_ip": "203.0.113.7",
                "source_port": 50123,
                "destination_ip": "192.0.2.10",
                "destination_port": 22,
                "process_name": "sshd",
                "process_pid": 1234,
            },
        ],
    ),
    "Exchange's IMAP log, whose end stands in its context": (
        "#Software: Microsoft Exchange Server\n#Log-type: IMAP4 Log\n"
        "#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n"
        '2026-03-02T10:00:02.123Z,0042,1,192.0.2.10:143,192.0.2.8:50124,bob,15,20,30,login,bob *****,"R=""1 NO LOGIN failed."";Msg=LogonFailed",\n',
        [{"user_name": "bob", "source_ip": "192.0.2.8", "source_port": 50124, "event_outcome": "failure"}],
    ),
    "an antivirus in French: names with a word that adds nothing": (
        "Date de détection;Nom du poste;Utilisateur connecté;Menace;Action effectuée\n"
        "02/03/2026 10:00:01;PC7;EXAMPLE\\alice;EICAR-Test;Bloqué\n25/03/2026 10:00:05;PC8;EXAMPLE\\bob;EICAR-Test;Bloqué\n",
        [
            {"time": "2026-03-02T10:00:01+00:00", "host_name": "PC7", "user_name": "EXAMPLE\\alice"},
            {"time": "2026-03-25T10:00:05+00:00", "host_name": "PC8", "user_name": "EXAMPLE\\bob"},
        ],
    ),
    "sessions of a VPN in French": (
        "Début de session;Fin de session;Compte utilisateur;IP publique;IP attribuée\n"
        "02/03/2026 10:00:01;02/03/2026 11:00:01;alice;203.0.113.7;192.0.2.70\n"
        "25/03/2026 10:00:05;25/03/2026 11:00:01;bob;203.0.113.8;192.0.2.71\n",
        [
            {"time": "2026-03-02T10:00:01+00:00", "user_name": "alice", "source_ip": "203.0.113.7"},
            {"time": "2026-03-25T10:00:05+00:00", "user_name": "bob", "source_ip": "203.0.113.8"},
        ],
    ),
    "Get-WinEvent as a table, numbers at the right": (
        "\n   ProviderName: Microsoft-Windows-Security-Auditing\n\n"
        "TimeCreated                     Id LevelDisplayName Message\n"
        "-----------                     -- ---------------- -------\n"
        "3/2/2026 10:00:01 AM          4625 Information      An account failed to log on....\n"
        "3/13/2026 10:00:05 PM         4624 Information      An account was successfully logged on....\n",
        [
            {"time": "2026-03-02T10:00:01+00:00", "event_outcome": "failure"},
            {"time": "2026-03-13T22:00:05+00:00", "event_outcome": "success"},
        ],
    ),
    "the event viewer's table in Spanish, which leaves out the last name": (
        "Nivel,Fecha y hora,Origen,Id. del evento,Categoría de la tarea\n"
        'Información,02/03/2026 10:00:01,Microsoft-Windows-Security-Auditing,4625,Logon,"Error de una cuenta al iniciar sesión.\n\n'
        "Sujeto:\n\tNombre de cuenta:\t\t-\n\nCuenta con error de inicio de sesión:\n\tNombre de cuenta:\t\talice\n\n"
        'Información de red:\n\tDirección de red de origen:\t192.0.2.7\n\tPuerto de origen:\t\t50123"\n'
        'Información,25/03/2026 10:00:09,Microsoft-Windows-Security-Auditing,4624,Logon,"Se inició sesión correctamente en una cuenta.\n\n'
        'Sujeto:\n\tNombre de cuenta:\t\tDC1$\n\nNuevo inicio de sesión:\n\tNombre de cuenta:\t\tbob"\n',
        [
            {
                "time": "2026-03-02T10:00:01+00:00",
                "user_name": "alice",
                "source_ip": "192.0.2.7",
                "source_port": 50123,
                "event_outcome": "failure",
            },
            {"time": "2026-03-25T10:00:09+00:00", "user_name": "bob", "event_outcome": "success"},
        ],
    ),
    "tasklist: a table without a time": (
        '"Image Name","PID","Session Name","Session#","Mem Usage","Status","User Name","CPU Time"\n'
        '"svchost.exe","980","Services","0","12,345 K","Unknown","NT AUTHORITY\\SYSTEM","0:00:10"\n'
        '"cmd.exe","4321","Console","1","4,096 K","Running","EXAMPLE\\alice","0:00:00"\n',
        [
            {"time": None, "process_name": "svchost.exe", "process_pid": 980},
            {"time": None, "process_name": "cmd.exe", "user_name": "EXAMPLE\\alice"},
        ],
    ),
    "sudo's entries as JSON, whose kind stands around them": (
        '{"accept":{"server_time":{"seconds":1772445601,"nanoseconds":123456789,"localtime":"Mar  2 11:00:01"},"submituser":"alice",'
        '"command":"/usr/bin/id","runuser":"root","submithost":"web1"}}\n'
        '{"reject":{"reason":"command not allowed","server_time":{"seconds":1772445605,"nanoseconds":0,"localtime":"Mar  2 11:00:05"},'
        '"submituser":"bob","command":"/usr/bin/cat","runuser":"root","submithost":"web1"}}\n',
        [
            {
                "time": "2026-03-02T10:00:01.123456+00:00",
                "user_name": "alice",
                "target_user_name": "root",
                "host_name": "web1",
                "event_outcome": "success",
            },
            {"time": "2026-03-02T10:00:05+00:00", "user_name": "bob", "event_outcome": "failure"},
        ],
    ),
    "a line of Python's logging among those with a time": (
        'INFO:werkzeug:203.0.113.7 - - [02/Mar/2026 10:00:01] "POST /login HTTP/1.1" 401 -\n'
        'INFO:werkzeug:203.0.113.8 - - [02/Mar/2026 10:00:02] "GET / HTTP/1.1" 200 -\nWARNING:app:login failed for alice\n',
        [
            {"source_ip": "203.0.113.7", "event_outcome": "failure"},
            {"source_ip": "203.0.113.8", "event_outcome": "success"},
            {"user_name": "alice", "event_outcome": "failure", "source_ip": None},
        ],
    ),
    "badges in French": (
        "Horodatage;Identifiant;Lecteur;Accès\n02/03/2026 10:00;alice;Porte A;Refusé\n25/03/2026 10:05;bob;Porte B;Autorisé\n",
        [{"user_name": "alice", "event_outcome": "failure"}, {"user_name": "bob", "event_outcome": "success"}],
    ),
    "netstat of Linux: a title that could be cut too, a name of several words": (
        "Active Internet connections (servers and established)\n"
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\n"
        "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      900/sshd: /usr/sbin\n"
        "tcp        0      0 192.0.2.10:45678        198.51.100.9:443        ESTABLISHED 4321/curl\n",
        [
            {"source_ip": None, "destination_ip": "0.0.0.0", "destination_port": 22},
            {"source_ip": "192.0.2.10", "source_port": 45678, "destination_ip": "198.51.100.9", "destination_port": 443},
        ],
    ),
    "ps, with names that are shares": (
        "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"
        "root           1  0.0  0.1 167000 11000 ?        Ss   08:00   0:01 /sbin/init\n"
        "alice       4321  0.0  0.0  10000  5000 pts/0    S+   10:00   0:00 nc -l 4444\n",
        [
            {"time": None, "user_name": "root", "process_pid": 1},
            {"time": None, "user_name": "alice", "process_pid": 4321, "process_command_line": "nc -l 4444"},
        ],
    ),
    "quser marks who asks": (
        " USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME\n"
        ">alice                 rdp-tcp#12          2  Active          .  3/2/2026 10:00 AM\n"
        " bob                   console             3  Disc         1:00  3/1/2026 9:00 AM\n",
        [
            {"time": "2026-03-02T10:00:00+00:00", "user_name": "alice"},
            {"time": "2026-03-01T09:00:00+00:00", "user_name": "bob"},
        ],
    ),
    "names in German with an idle word": (
        "Zeitpunkt;Angemeldeter Benutzer;Name des Rechners;Öffentliche IP-Adresse\n"
        "02.03.2026 10:00:01;alice;PC7;203.0.113.7\n25.03.2026 10:00:05;bob;PC8;203.0.113.8\n",
        [
            {"user_name": "alice", "host_name": "PC7", "source_ip": "203.0.113.7"},
            {"user_name": "bob", "host_name": "PC8", "source_ip": "203.0.113.8"},
        ],
    ),
    "names in Spanish with an idle word": (
        "Fecha de inicio;Nombre del equipo;Dirección IP pública\n02/03/2026 10:00:01;PC7;203.0.113.7\n25/03/2026 10:00:05;PC8;203.0.113.8\n",
        [{"host_name": "PC7", "source_ip": "203.0.113.7"}, {"host_name": "PC8", "source_ip": "203.0.113.8"}],
    ),
    "the event viewer's table in Italian": (
        "Livello,Data e ora,Origine,ID evento,Categoria attività\n"
        'Informazioni,02/03/2026 10:00:01,Microsoft-Windows-Security-Auditing,4625,Logon,"Impossibile accedere con un account.\n\n'
        "Soggetto:\n\tNome account:\t\t-\n\nAccount il cui accesso non è riuscito:\n\tNome account:\t\talice\n\n"
        'Informazioni di rete:\n\tIndirizzo di rete di origine:\t192.0.2.7"\n'
        'Informazioni,25/03/2026 10:00:09,Microsoft-Windows-Security-Auditing,4634,Logoff,"Disconnesso.\n\nSoggetto:\n\tNome account:\t\tbob"\n',
        [
            {"time": "2026-03-02T10:00:01+00:00", "user_name": "alice", "source_ip": "192.0.2.7", "event_outcome": "failure"},
            {"time": "2026-03-25T10:00:09+00:00", "user_name": "bob"},
        ],
    ),
    "who, whose lines have no names": (
        "alice    pts/0        2026-03-02 10:00 (203.0.113.7)\nbob      tty1         2026-03-02 09:00\n",
        [
            {"time": "2026-03-02T10:00:00+00:00", "user_name": "alice", "source_ip": "203.0.113.7"},
            {"time": "2026-03-02T09:00:00+00:00", "user_name": "bob", "source_ip": None},
        ],
    ),
    "Dovecot names whose session it is with its program": (
        "Mar 02 10:00:03 imap(alice)<1234><abc>: Info: Logged out in=100 out=2000\n"
        "Mar 02 10:00:04 mail1 dovecot: pop3(bob)<1235><abd>: Disconnected: Logged out top=0/0\n"
        "Mar 02 10:00:05 web1 sshd(pam_unix)[7]: session opened\n",
        [
            {"user_name": "alice", "host_name": None, "process_name": "imap"},
            {"user_name": "bob", "host_name": "mail1", "process_name": "dovecot"},
            {"user_name": None, "host_name": "web1"},
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_tells_what_its_tool_wrote(name: str, tmp_path: Path):
    text, wanted = FILES[name]
    path = tmp_path / "file.log"
    path.write_text(text, encoding="utf-8")
    events = [{**event, "time": _written(event.get("time"))} for event in peek(path, limit=20).events]
    assert len(events) == len(wanted)
    for event, told in zip(events, wanted, strict=True):
        assert {column: event.get(column) for column in told} == told


def _written(time: Any) -> str | None:
    return time.isoformat() if time is not None else None


def test_how_it_ended_is_no_user():
    assert facts_of("user denied: alice (mysql-denied) from 203.0.113.7")["user_name"] == "alice"
    assert facts_of("user authenticated: bob from 203.0.113.8")["user_name"] == "bob"
    assert facts_of("user locked: dave after 5 failures from 203.0.113.7")["user_name"] == "dave"
    assert "user_name" not in facts_of("User authenticated by the gateway of 203.0.113.8")


def test_accepted_in_french():
    assert facts_of("pare-feu ACCEPTE TCP 192.0.2.7:50124 -> 198.51.100.9:443")["event_outcome"] == "success"


def test_the_address_of_a_network_is_nobody_s():
    assert "source_ip" not in facts_of('Connection matched pg_hba.conf line 95: "host all all 0.0.0.0/0 md5"')
    assert facts_of("denied from 10.0.0.0/8, client 10.1.2.3")["source_ip"] == "10.1.2.3"
    assert facts_of("denied from 192.0.2.7/24")["source_ip"] == "192.0.2.7"


def test_whom_an_authentication_failed_for():
    row = facts_of("rsync: auth failed on module data from pc8.example.org (192.0.2.8) for bob: password mismatch")
    assert (row["user_name"], row["source_ip"], row["event_outcome"]) == ("bob", "192.0.2.8", "failure")


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("2026-03-02 10:00:00,123 fail2ban.actions        [1]: NOTICE  [Büro] Ban 192.0.2.7\n", "rule_name", "Büro"),
        (f"{'*' * 22}\nWindows PowerShell transcript start\nStart time: 20260302100000\nUsername: CORP\\Jürgen\n{'*' * 22}\nPS C:\\> dir\n", "user_name", "Jürgen"),
    ],
)  # fmt: skip
def test_names_in_an_old_encoding_are_names(text: str, column: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(text.encode("cp1252"))
    assert peek(tmp_path / "a.log").events[0][column] == value
