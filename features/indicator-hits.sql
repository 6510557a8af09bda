-- about = "What a source had to do in an hour with what threat intelligence lists: addresses, names, URLs, files, TLS clients."
-- entity = "source_ip"
-- window = "1 hour"
-- blind_to = "whatever no indicator names, networks (CIDR) and patterns among them; whether an indicator was out of date by then"
-- [columns]
-- ioc_hit = "1 if an event of the hour matches an indicator, otherwise 0"
-- hits = "events that match an indicator"
-- hit_share = "share of the events that match an indicator, 0 to 1"
-- indicators = "different indicators matched"
-- address_hits = "events with a listed address as their destination"
-- name_hits = "events with a listed name, or a name below it, asked for or addressed"
-- url_hits = "events with a listed URL"
-- file_hits = "events with a listed file hash"
-- tls_hits = "events with the JA3 of a listed TLS client"
-- events = "events"
-- [columns_fr]
-- ioc_hit = "1 si un événement de l’heure correspond à un indicateur, sinon 0"
-- hits = "événements qui correspondent à un indicateur"
-- hit_share = "part des événements qui correspondent à un indicateur, de 0 à 1"
-- indicators = "indicateurs différents rencontrés"
-- address_hits = "événements dont la destination est une adresse répertoriée"
-- name_hits = "événements visant un nom répertorié, ou un nom sous celui-ci"
-- url_hits = "événements avec une URL répertoriée"
-- file_hits = "événements avec l’empreinte d’un fichier répertorié"
-- tls_hits = "événements avec l’empreinte JA3 d’un client TLS répertorié"
-- events = "événements"
with listed as (
    select distinct destination_ip as address, lower(dns_question_name) as name, url_original as url,
           lower(file_hash) as hash, lower(tls_client_ja3) as ja3
    from events where event_category = 'threat_intelligence'
), seen as (
    select source_ip, window_start, destination_ip, url_original, lower(file_hash) as hash, lower(tls_client_ja3) as ja3,
           rtrim(lower(coalesce(dns_question_name, tls_client_server_name,
                                nullif(regexp_extract(url_original, '^[A-Za-z][A-Za-z0-9+.-]*://([^/:?#]+)', 1), ''))), '.') as name
    from events where source_ip is not null and event_category is distinct from 'threat_intelligence'
), parents as (
    select name, unnest(list_transform(range(1, len(string_split(name, '.')) + 1),
                                       lambda i: array_to_string(string_split(name, '.')[i:], '.'))) as parent
    from (select distinct name from seen where name is not null)
), matched_names as (
    select parents.name, max_by(listed.name, length(listed.name)) as indicator
    from parents join listed on parents.parent = listed.name group by parents.name
), matched as (
    select seen.*, a.address, n.indicator as listed_name, u.url, h.hash as listed_hash, j.ja3 as listed_ja3
    from seen
    left join (select distinct address from listed) a on seen.destination_ip = a.address
    left join matched_names n on seen.name = n.name
    left join (select distinct url from listed) u on seen.url_original = u.url
    left join (select distinct hash from listed) h on seen.hash = h.hash
    left join (select distinct ja3 from listed) j on seen.ja3 = j.ja3
)
select source_ip, window_start,
       cast(max(case when coalesce(address, listed_name, url, listed_hash, listed_ja3) is not null then 1 else 0 end) as double)
           as ioc_hit,
       cast(count(coalesce(address, listed_name, url, listed_hash, listed_ja3)) as double) as hits,
       count(coalesce(address, listed_name, url, listed_hash, listed_ja3)) / cast(count(*) as double) as hit_share,
       cast(count(distinct address) + count(distinct listed_name) + count(distinct url)
            + count(distinct listed_hash) + count(distinct listed_ja3) as double) as indicators,
       cast(count(address) as double) as address_hits,
       cast(count(listed_name) as double) as name_hits,
       cast(count(url) as double) as url_hits,
       cast(count(listed_hash) as double) as file_hits,
       cast(count(listed_ja3) as double) as tls_hits,
       cast(count(*) as double) as events
from matched
group by source_ip, window_start
