"""Tables of what happened → the lines that Zeek, Suricata and syslog would have written of it."""
