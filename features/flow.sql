-- about = "One row a flow: how long, how much, in which direction, how it ended."
-- entity = "source_ip"
-- blind_to = "anything that needs more than one flow: scans of ordinary-looking connections, beacons, slow exfiltration"
-- [columns]
-- duration_s = "duration of the connection, in seconds"
-- source_bytes = "bytes sent by the source"
-- destination_bytes = "bytes sent back by the destination"
-- source_packets = "packets sent by the source"
-- destination_packets = "packets sent back by the destination"
-- source_bytes_per_packet = "bytes a packet from the source"
-- sent_share = "share of the bytes that the source sent, 0 to 1"
-- hour_utc = "hour of the day (UTC)"
-- transport = "transport protocol"
-- protocol = "application protocol"
-- state = "how the connection ended"
-- service_port = "destination port"
-- direction = "direction between inside and outside"
-- [columns_fr]
-- duration_s = "durée de la connexion, en secondes"
-- source_bytes = "octets envoyés par la source"
-- destination_bytes = "octets renvoyés par la destination"
-- source_packets = "paquets envoyés par la source"
-- destination_packets = "paquets renvoyés par la destination"
-- source_bytes_per_packet = "octets par paquet de la source"
-- sent_share = "part des octets envoyée par la source, de 0 à 1"
-- hour_utc = "heure de la journée (UTC)"
-- transport = "protocole de transport"
-- protocol = "protocole applicatif"
-- state = "fin de la connexion"
-- service_port = "port de destination"
-- direction = "sens entre l’intérieur et l’extérieur"
with flows as (
    select *,
           regexp_matches(source_ip, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|127\.|fe80:|f[cd])') as source_inside,
           regexp_matches(destination_ip, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|127\.|fe80:|f[cd]|ff0|224\.|255\.)')
               as destination_inside
    from events
    where class_uid = 4001 and source_ip is not null
)
select event_id, time, source_ip,
       duration_s,
       cast(source_bytes as double) as source_bytes,
       cast(destination_bytes as double) as destination_bytes,
       cast(source_packets as double) as source_packets,
       cast(destination_packets as double) as destination_packets,
       case when source_packets > 0 then source_bytes / cast(source_packets as double) end as source_bytes_per_packet,
       case when source_bytes + destination_bytes > 0
            then source_bytes / cast(source_bytes + destination_bytes as double) end as sent_share,
       cast(extract(hour from time) as double) as hour_utc,
       network_transport as transport,
       network_protocol as protocol,
       connection_state as state,
       case when destination_port < 1024 or destination_port in (3306, 3389, 5060, 5432, 5900, 6379, 8080, 8443)
            then cast(destination_port as varchar)
            when destination_port < 49152 then '1024-49151' when destination_port is not null then '49152-65535' end
           as service_port,
       case when source_inside and destination_inside then 'inside' when source_inside then 'outbound'
            when destination_inside then 'inbound' else 'outside' end as direction
from flows
