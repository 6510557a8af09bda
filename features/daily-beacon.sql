-- about = "Outside destinations that a source calls at regular intervals, and that few others know."
-- entity = "source_ip"
-- period = "1 day"
-- family = "beacon"
-- role = "source"
-- blind_to = "fewer than 8 calls a day; a destination that everyone uses; calls spread over many destinations"
-- new = ["new_beacon"]
-- [first_seen]
-- pair = ["destination_ip", "inside_ip"]
-- [usual]
-- rare_beacon = 2
-- new_beacon = 1
-- [columns]
-- rare_beacon = "regularity of the calls to one outside destination, weighed by their number and by how few others know it"
-- new_beacon = "regularity of the calls to one outside destination new to this source, weighed by their number and by how few others know it"
-- [columns_fr]
-- rare_beacon = "régularité des appels vers une destination extérieure, pondérée par leur nombre et par la rareté de la destination"
-- new_beacon = "régularité des appels vers une destination extérieure nouvelle pour cette source, pondérée par leur nombre et par la rareté de la destination"
-- [shown_with]
-- rare_beacon = "called"
-- new_beacon = "newly_called"
with calls as (
    select inside_ip, destination_ip, day, epoch_us(time) // 1000000 as moment, coalesce(source_bytes, 0) as bytes
    from flows where answered and not destination_inside and inside_ip is not null
), often as (
    select inside_ip, destination_ip, day, count(*) as n, median(bytes) as middle_bytes
    from calls group by inside_ip, destination_ip, day having count(*) between 8 and 20000
), gaps as (
    select inside_ip, destination_ip, day, n, bytes, middle_bytes,
           moment - lag(moment) over (partition by inside_ip, destination_ip, day order by moment) as gap
    from calls join often using (inside_ip, destination_ip, day)
), middles as (
    select inside_ip, destination_ip, day, median(gap) as middle_gap
    from gaps where gap > 0 group by inside_ip, destination_ip, day having count(*) >= 6
), spreads as (
    select inside_ip, destination_ip, day, any_value(n) as n, any_value(middle_gap) as middle_gap,
           median(case when gap > 0 then abs(gap - middle_gap) end) / any_value(middle_gap) as gap_spread,
           median(abs(bytes - middle_bytes)) / greatest(any_value(middle_bytes), 1) as bytes_spread
    from gaps join middles using (inside_ip, destination_ip, day) group by inside_ip, destination_ip, day
), beacons as (
    select p.inside_ip as source_ip, p.day, p.destination_ip, p.middle_gap, first_day = p.day and p.day > began as is_new,
           greatest(0, 1 - gap_spread) * (0.5 + 0.5 * greatest(0, 1 - bytes_spread)) * log2(n) / sources as regular
    from spreads p
    join pair k on k.destination_ip = p.destination_ip and k.inside_ip = p.inside_ip
    join pair_sources s on s.destination_ip = p.destination_ip and s.day = p.day
), weighed as (
    select source_ip, day, case when is_new then regular else 0.3 * regular end as rare,
           case when is_new then regular else 0 end as fresh, destination_ip,
           concat(destination_ip, ' / ', cast(cast(middle_gap as bigint) as varchar), ' s') as called
    from beacons
), ranked as (
    select *, row_number() over (partition by source_ip, day order by rare desc, destination_ip) as place,
           row_number() over (partition by source_ip, day order by fresh desc, destination_ip) as fresh_place
    from weighed
)
select source_ip, day, max(rare) as rare_beacon, max(fresh) as new_beacon,
       max(case when place = 1 then called end) as called,
       max(case when fresh_place = 1 and fresh > 0 then called end) as newly_called
from ranked group by source_ip, day
