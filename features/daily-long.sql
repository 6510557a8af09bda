-- about = "Connections that stay open long with outside destinations that few others use."
-- entity = "source_ip"
-- period = "1 day"
-- family = "long"
-- role = "source"
-- weight = 0.5
-- blind_to = "long connections that the sensor cuts into pieces"
-- [first_seen]
-- pair = ["destination_ip", "inside_ip"]
-- [usual]
-- rare_long = 3600
-- [columns]
-- rare_long = "seconds of the longest connection with one outside destination, divided by the sources that ever used it"
-- [columns_fr]
-- rare_long = "secondes de la plus longue connexion avec une destination extérieure, divisées par ses sources connues"
-- [shown_with]
-- rare_long = "connected_to"
with pairs as (
    select inside_ip, destination_ip, day, max(duration_s) as longest
    from flows where answered and not destination_inside and inside_ip is not null group by all
)
select p.inside_ip as source_ip, p.day, longest / sources as rare_long, p.destination_ip as connected_to
from pairs p join pair_sources s on s.destination_ip = p.destination_ip and s.day = p.day
where longest is not null
qualify row_number() over (partition by p.inside_ip, p.day order by longest / sources desc, p.destination_ip) = 1
