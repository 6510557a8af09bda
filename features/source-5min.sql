-- about = "What a source did in five minutes: how much, to how many, how often it failed."
-- entity = "source_ip"
-- window = "5 minutes"
-- blind_to = "slow scans and beacons that spread over hours; what was said inside one connection"
-- [columns]
-- flows = "connections opened"
-- destinations = "different destination addresses"
-- ports = "different destination ports"
-- ports_per_destination = "different ports for each destination"
-- failed_share = "share of connections that were refused or not answered, 0 to 1"
-- bytes_sent = "bytes sent"
-- bytes_received = "bytes received"
-- largest_upload = "bytes sent in the largest connection"
-- packets_sent = "packets sent"
-- mean_duration_s = "mean duration of a connection, in seconds"
-- longest_s = "longest connection, in seconds"
-- dns_flows = "DNS connections"
-- remote_control_flows = "SSH, RDP, VNC, SMB and WinRM connections"
-- outside_share = "share of connections that leave for the outside, 0 to 1"
-- [columns_fr]
-- flows = "connexions ouvertes"
-- destinations = "adresses de destination différentes"
-- ports = "ports de destination différents"
-- ports_per_destination = "ports différents par destination"
-- failed_share = "part des connexions refusées ou sans réponse, de 0 à 1"
-- bytes_sent = "octets envoyés"
-- bytes_received = "octets reçus"
-- largest_upload = "octets envoyés par la plus grosse connexion"
-- packets_sent = "paquets envoyés"
-- mean_duration_s = "durée moyenne d’une connexion, en secondes"
-- longest_s = "connexion la plus longue, en secondes"
-- dns_flows = "connexions DNS"
-- remote_control_flows = "connexions SSH, RDP, VNC, SMB et WinRM"
-- outside_share = "part des connexions vers l’extérieur, de 0 à 1"
select source_ip, window_start,
       cast(count(*) as double) as flows,
       cast(count(distinct destination_ip) as double) as destinations,
       cast(count(distinct destination_port) as double) as ports,
       count(distinct destination_port) / cast(count(distinct destination_ip) as double) as ports_per_destination,
       avg(case when connection_state in ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH', 'SHR') then 1.0 else 0.0 end) as failed_share,
       cast(sum(coalesce(source_bytes, 0)) as double) as bytes_sent,
       cast(sum(coalesce(destination_bytes, 0)) as double) as bytes_received,
       cast(max(coalesce(source_bytes, 0)) as double) as largest_upload,
       cast(sum(coalesce(source_packets, 0)) as double) as packets_sent,
       avg(duration_s) as mean_duration_s,
       max(duration_s) as longest_s,
       sum(case when destination_port = 53 then 1.0 else 0.0 end) as dns_flows,
       sum(case when destination_port in (22, 3389, 5900, 445, 139, 5985, 5986) then 1.0 else 0.0 end) as remote_control_flows,
       avg(case when regexp_matches(
               destination_ip, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|127\.|fe80:|f[cd]|ff0|224\.|255\.)')
           then 0.0 else 1.0 end) as outside_share
from events
where class_uid = 4001 and source_ip is not null and destination_ip is not null
group by source_ip, window_start
