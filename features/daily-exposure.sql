-- about = "Machines inside on which scanners found weaknesses, and who reached the weak ports."
-- entity = "destination_ip"
-- period = "1 day"
-- family = "exposure"
-- role = "destination"
-- weight = 0.7
-- blind_to = "what no scanner looked for; a weakness that was mended since it was first found"
-- [first_seen]
-- weak = ["weakness"]
-- [usual]
-- outside_at_weakness = 5
-- sources_at_weakness = 10
-- [columns]
-- outside_at_weakness = "different outside sources that were answered on a port with a known weakness"
-- sources_at_weakness = "different sources that were answered on a port with a known weakness"
-- [columns_fr]
-- outside_at_weakness = "sources extérieures différentes ayant obtenu une réponse sur un port à faiblesse connue"
-- sources_at_weakness = "sources différentes ayant obtenu une réponse sur un port à faiblesse connue"
-- [shown_with]
-- outside_at_weakness = "weaknesses"
-- sources_at_weakness = "weaknesses"
with known as (
    select split_part(weakness, ' ', 1) as destination_ip, split_part(weakness, ' ', 2) as port,
           array_to_string(list(distinct split_part(weakness, ' ', 3) order by split_part(weakness, ' ', 3))[1:6], ' · ') as which
    from every_weak group by 1, 2
)
select f.destination_ip, f.day, count(distinct case when not f.source_inside then f.source_ip end) as outside_at_weakness,
       count(distinct f.source_ip) as sources_at_weakness, min(which) as weaknesses
from flows f join known k on k.destination_ip = f.destination_ip and k.port = cast(f.destination_port as varchar)
where f.answered and f.destination_inside group by f.destination_ip, f.day
