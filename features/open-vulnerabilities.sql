-- about = "Who came to a host in an hour, and what scanners had found open on it in the 90 days before."
-- entity = "destination_ip"
-- window = "1 hour"
-- blind_to = "what no scanner looked for; a weakness that was mended since it was last found; what a finding without an address is about"
-- [columns]
-- open_vulnerabilities = "different vulnerabilities found on the host in the 90 days before"
-- worst_score = "highest score among them (CVSS, 0 to 10); none if no scanner gave one"
-- weak_port_connections = "connections to a port that a vulnerability was found on"
-- connections = "connections to the host"
-- sources = "different sources"
-- ports = "different destination ports"
-- unanswered_share = "share of connections that the host refused or did not answer, 0 to 1"
-- [columns_fr]
-- open_vulnerabilities = "vulnérabilités différentes constatées sur l’hôte dans les 90 jours précédents"
-- worst_score = "score le plus élevé parmi elles (CVSS, de 0 à 10) ; aucun si aucun scanner n’en donne"
-- weak_port_connections = "connexions vers un port où une vulnérabilité a été constatée"
-- connections = "connexions vers l’hôte"
-- sources = "sources différentes"
-- ports = "ports de destination différents"
-- unanswered_share = "part des connexions refusées ou restées sans réponse, de 0 à 1"
with flows as (
    select destination_ip, window_start, time, source_ip, destination_port, connection_state
    from events where class_uid = 4001 and destination_ip is not null
), findings as (
    select destination_ip, destination_port, time, coalesce(vulnerability_id, rule_id, rule_name) as vulnerability,
           vulnerability_score
    from events
    where event_category = 'vulnerability' and destination_ip is not null
      and coalesce(vulnerability_id, rule_id, rule_name) is not null
), hours as (
    select destination_ip, window_start, max(time) as last_time,
           cast(count(*) as double) as connections,
           cast(count(distinct source_ip) as double) as sources,
           cast(count(distinct destination_port) as double) as ports,
           avg(case when connection_state in ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH') then 1.0
                    when connection_state is not null then 0.0 end) as unanswered_share
    from flows group by destination_ip, window_start
), open as (
    select hours.destination_ip, hours.window_start,
           cast(count(distinct vulnerability) as double) as open_vulnerabilities,
           max(vulnerability_score) as worst_score
    from hours join findings
      on hours.destination_ip = findings.destination_ip
     and findings.time <= hours.last_time and findings.time > hours.last_time - interval 90 days
    group by hours.destination_ip, hours.window_start
), weak as (
    select destination_ip, window_start, cast(count(*) as double) as weak_port_connections
    from flows
    where exists (select 1 from findings
                  where findings.destination_ip = flows.destination_ip and findings.destination_port = flows.destination_port
                    and findings.time <= flows.time and findings.time > flows.time - interval 90 days)
    group by destination_ip, window_start
)
select hours.destination_ip, hours.window_start,
       coalesce(open_vulnerabilities, 0.0) as open_vulnerabilities, worst_score,
       coalesce(weak_port_connections, 0.0) as weak_port_connections,
       connections, sources, ports, unanswered_share
from hours
left join open on hours.destination_ip = open.destination_ip and hours.window_start = open.window_start
left join weak on hours.destination_ip = weak.destination_ip and hours.window_start = weak.window_start
