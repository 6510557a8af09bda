-- about = "Connections inside between machines that never spoke before, weighed by how few others use the destination."
-- entity = "source_ip"
-- period = "1 day"
-- family = "edge"
-- role = "source"
-- blind_to = "the first day of the logs; movement along paths that are in daily use"
-- new = ["new_remote_edges", "new_inside_edges"]
-- [first_seen]
-- pair = ["destination_ip", "inside_ip"]
-- remote = ["remote_ip", "inside_ip"]
-- [usual]
-- new_remote_edges = 1
-- new_inside_edges = 2
-- [columns]
-- new_remote_edges = "inside machines reached for the first time on a port for remote control, each divided by the sources that ever used it"
-- new_inside_edges = "inside machines reached for the first time, each divided by the sources that ever used it"
-- [columns_fr]
-- new_remote_edges = "machines internes jointes pour la première fois sur un port de prise en main, chacune divisée par ses sources connues"
-- new_inside_edges = "machines internes jointes pour la première fois, chacune divisée par ses sources connues"
-- [shown_with]
-- new_remote_edges = "newly_controlled"
-- new_inside_edges = "newly_reached"
with inside_pairs as (
    select distinct inside_ip, destination_ip, day from flows where destination_inside and inside_ip is not null
), reached as (
    select p.inside_ip as source_ip, p.day, p.destination_ip, s.sources
    from inside_pairs p
    join pair k on k.destination_ip = p.destination_ip and k.inside_ip = p.inside_ip
    join pair_sources s on s.destination_ip = p.destination_ip and s.day = p.day
    where k.first_day = p.day and p.day > k.began
), controlled as (
    select k.inside_ip as source_ip, s.day, k.remote_ip as destination_ip, s.sources
    from remote k
    join remote_sources s on s.remote_ip = k.remote_ip
    join inside_pairs p on p.inside_ip = k.inside_ip and p.destination_ip = k.remote_ip and p.day = s.day
    where k.first_day = s.day and s.day > k.began
), by_source as (
    select source_ip, day, 0 as controlled, sum(cast(1.0 / sources as decimal(24, 12))) as n,
           array_to_string(list(distinct destination_ip order by destination_ip)[1:6], ' · ') as which
    from reached group by source_ip, day
    union all
    select source_ip, day, 1, sum(cast(1.0 / sources as decimal(24, 12))),
           array_to_string(list(distinct destination_ip order by destination_ip)[1:6], ' · ')
    from controlled group by source_ip, day
)
select source_ip, day,
       coalesce(max(case when controlled = 1 then n end), 0) as new_remote_edges,
       coalesce(max(case when controlled = 0 then n end), 0) as new_inside_edges,
       max(case when controlled = 1 then which end) as newly_controlled,
       max(case when controlled = 0 then which end) as newly_reached
from by_source group by source_ip, day
