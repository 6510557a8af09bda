-- about = "What a machine inside had to take from outside in its busiest ten minutes."
-- entity = "destination_ip"
-- period = "1 day"
-- family = "flood"
-- role = "destination"
-- floor = 5
-- blind_to = "floods that stay below the usual crowd; floods from inside"
-- [usual]
-- outside_sources_10m = 20
-- outside_failed_10m = 10
-- outside_seconds_10m = 8000
-- [columns]
-- outside_sources_10m = "different outside sources, in the busiest 10 minutes"
-- outside_failed_10m = "connections from outside that failed, in the busiest 10 minutes"
-- outside_seconds_10m = "seconds of connection from outside, in the busiest 10 minutes"
-- [columns_fr]
-- outside_sources_10m = "sources extérieures différentes, dans les 10 minutes les plus chargées"
-- outside_failed_10m = "connexions venues de l’extérieur en échec, dans les 10 minutes les plus chargées"
-- outside_seconds_10m = "secondes de connexion venues de l’extérieur, dans les 10 minutes les plus chargées"
with windows as (
    select destination_ip, day, epoch_us(time) // 600000000 as part,
           count(distinct source_ip) as sources, count(*) filter (failed) as failed,
           sum(cast(coalesce(duration_s, 0) as decimal(24, 6))) as seconds
    from flows where destination_inside and not source_inside group by all
)
select destination_ip, day, max(sources) as outside_sources_10m, max(failed) as outside_failed_10m,
       max(seconds) as outside_seconds_10m
from windows group by destination_ip, day
