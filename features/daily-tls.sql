-- about = "TLS clients and server names of a source that few others ever used."
-- entity = "source_ip"
-- period = "1 day"
-- family = "tls"
-- role = "source"
-- weight = 0.7
-- blind_to = "a client that imitates a browser; names that are encrypted; the first day of the logs"
-- new = ["new_fingerprints", "new_server_names"]
-- [first_seen]
-- client = ["ja3", "inside_ip"]
-- called_name = ["server_name", "inside_ip"]
-- [usual]
-- new_fingerprints = 1
-- new_server_names = 20
-- [columns]
-- new_fingerprints = "TLS clients this source never used before, each divided by the sources that ever used it"
-- new_server_names = "server names this source never called before, each divided by the sources that ever called it"
-- [columns_fr]
-- new_fingerprints = "clients TLS jamais utilisés par cette source, chacun divisé par ses sources connues"
-- new_server_names = "noms de serveur jamais appelés par cette source, chacun divisé par ses sources connues"
-- [shown_with]
-- new_fingerprints = "fingerprint"
-- new_server_names = "name_called"
with fresh as (
    select distinct m.inside_ip as source_ip, m.day, 'ja3' as kind, m.ja3 as what, s.sources
    from meanings m join client k on k.ja3 = m.ja3 and k.inside_ip = m.inside_ip
    join client_sources s on s.ja3 = m.ja3 and s.day = m.day
    where k.first_day = m.day and m.day > k.began
    union all
    select distinct m.inside_ip, m.day, 'name', m.server_name, s.sources
    from meanings m join called_name k on k.server_name = m.server_name and k.inside_ip = m.inside_ip
    join called_name_sources s on s.server_name = m.server_name and s.day = m.day
    where k.first_day = m.day and m.day > k.began
)
select source_ip, day,
       coalesce(sum(cast(1.0 / sources as decimal(24, 12))) filter (kind = 'ja3'), 0) as new_fingerprints,
       coalesce(sum(cast(1.0 / sources as decimal(24, 12))) filter (kind = 'name'), 0) as new_server_names,
       (list(what order by sources, what) filter (kind = 'ja3'))[1] as fingerprint,
       (list(what order by sources, what) filter (kind = 'name'))[1] as name_called
from fresh group by source_ip, day
