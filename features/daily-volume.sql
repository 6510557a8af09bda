-- about = "How much a source did: connections and destinations in the busiest five minutes, hour and in the day."
-- entity = "source_ip"
-- period = "1 day"
-- family = "volume"
-- role = "source"
-- floor = 5
-- weight = 0.5
-- blind_to = "whatever stays within what busy machines do"
-- [usual]
-- flows_5m = 30
-- flows_1h = 160
-- flows_1d = 1200
-- destinations_1h = 54
-- destinations_1d = 180
-- [columns]
-- flows_5m = "connections, in the busiest 5 minutes"
-- flows_1h = "connections, in the busiest hour"
-- flows_1d = "connections, in the day"
-- destinations_1h = "different destinations, in the busiest hour"
-- destinations_1d = "different destinations, in the day"
-- [columns_fr]
-- flows_5m = "connexions, dans les 5 minutes les plus chargées"
-- flows_1h = "connexions, dans l’heure la plus chargée"
-- flows_1d = "connexions, dans la journée"
-- destinations_1h = "destinations différentes, dans l’heure la plus chargée"
-- destinations_1d = "destinations différentes, dans la journée"
with in_5m as (
    select source_ip, day, max(n) as n from (
        select source_ip, day, count(*) as n from flows group by source_ip, day, epoch_us(time) // 300000000
    ) group by source_ip, day
), in_1h as (
    select source_ip, day, max(n) as n, max(destinations) as destinations from (
        select source_ip, day, count(*) as n, count(distinct destination_ip) as destinations
        from flows group by source_ip, day, epoch_us(time) // 3600000000
    ) group by source_ip, day
), in_1d as (
    select source_ip, day, count(*) as n, count(distinct destination_ip) as destinations from flows group by source_ip, day
)
select source_ip, day, in_5m.n as flows_5m, in_1h.n as flows_1h, in_1d.n as flows_1d,
       in_1h.destinations as destinations_1h, in_1d.destinations as destinations_1d
from in_5m join in_1h using (source_ip, day) join in_1d using (source_ip, day)
