-- about = "How many addresses and ports a source tried in vain, in the busiest five minutes, hour and in the day."
-- entity = "source_ip"
-- period = "1 day"
-- family = "scan"
-- role = "source"
-- outside = true
-- floor = 5
-- blind_to = "fewer than 5 addresses or ports a day; a scan that is answered everywhere"
-- [usual]
-- failed_destinations_5m = 4
-- failed_destinations_1h = 10
-- failed_destinations_1d = 20
-- failed_inside_1d = 12
-- failed_ports_5m = 3
-- failed_ports_1h = 8
-- failed_ports_1d = 11
-- [columns]
-- failed_destinations_5m = "different addresses that refused or did not answer, in the busiest 5 minutes"
-- failed_destinations_1h = "different addresses that refused or did not answer, in the busiest hour"
-- failed_destinations_1d = "different addresses that refused or did not answer, in the day"
-- failed_inside_1d = "different inside addresses that refused or did not answer, in the day"
-- failed_ports_5m = "different ports below 49152 that failed, in the busiest 5 minutes"
-- failed_ports_1h = "different ports below 49152 that failed, in the busiest hour"
-- failed_ports_1d = "different ports below 49152 that failed, in the day"
-- [columns_fr]
-- failed_destinations_5m = "adresses différentes qui ont refusé ou n’ont pas répondu, dans les 5 minutes les plus chargées"
-- failed_destinations_1h = "adresses différentes qui ont refusé ou n’ont pas répondu, dans l’heure la plus chargée"
-- failed_destinations_1d = "adresses différentes qui ont refusé ou n’ont pas répondu, dans la journée"
-- failed_inside_1d = "adresses internes différentes qui ont refusé ou n’ont pas répondu, dans la journée"
-- failed_ports_5m = "ports différents sous 49152 en échec, dans les 5 minutes les plus chargées"
-- failed_ports_1h = "ports différents sous 49152 en échec, dans l’heure la plus chargée"
-- failed_ports_1d = "ports différents sous 49152 en échec, dans la journée"
-- [shown_with]
-- failed_destinations_5m = "most_tried_port"
-- failed_destinations_1h = "most_tried_port"
-- failed_destinations_1d = "most_tried_port"
-- failed_inside_1d = "most_tried_port"
-- failed_ports_5m = "most_tried_address"
-- failed_ports_1h = "most_tried_address"
-- failed_ports_1d = "most_tried_address"
with tries as (
    select source_ip, day, destination_ip, destination_inside, destination_port,
           case when destination_port < 49152 then destination_port end as low_port,
           epoch_us(time) // 300000000 as in_5m, epoch_us(time) // 3600000000 as in_1h
    from flows where failed
), in_5m as (
    select source_ip, day, count(distinct destination_ip) as destinations, count(distinct low_port) as ports
    from tries group by source_ip, day, in_5m
), in_1h as (
    select source_ip, day, count(distinct destination_ip) as destinations, count(distinct low_port) as ports
    from tries group by source_ip, day, in_1h
), in_1d as (
    select source_ip, day, count(distinct destination_ip) as destinations, count(distinct low_port) as ports,
           count(distinct case when destination_inside then destination_ip end) as inside
    from tries group by source_ip, day
), by_port as (
    select source_ip, day, destination_port, count(distinct destination_ip) as n from tries group by all
), by_address as (
    select source_ip, day, destination_ip, count(distinct low_port) as n from tries group by all
), most_port as (
    select source_ip, day, cast(destination_port as varchar) as most_tried_port from by_port
    qualify row_number() over (partition by source_ip, day order by n desc, destination_port) = 1
), most_address as (
    select source_ip, day, destination_ip as most_tried_address from by_address
    qualify row_number() over (partition by source_ip, day order by n desc, destination_ip) = 1
)
select source_ip, day,
       max(in_5m.destinations) as failed_destinations_5m,
       any_value(hours.destinations) as failed_destinations_1h,
       any_value(in_1d.destinations) as failed_destinations_1d,
       any_value(in_1d.inside) as failed_inside_1d,
       max(in_5m.ports) as failed_ports_5m,
       any_value(hours.ports) as failed_ports_1h,
       any_value(in_1d.ports) as failed_ports_1d,
       any_value(most_tried_port) as most_tried_port, any_value(most_tried_address) as most_tried_address
from in_5m
join (select source_ip, day, max(destinations) as destinations, max(ports) as ports from in_1h group by all) hours
    using (source_ip, day)
join in_1d using (source_ip, day)
join most_port using (source_ip, day)
join most_address using (source_ip, day)
group by source_ip, day
