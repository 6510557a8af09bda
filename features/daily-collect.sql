-- about = "Bytes that a source took from machines inside: from the one that gave it most, and in all."
-- entity = "source_ip"
-- period = "1 day"
-- family = "collect"
-- role = "source"
-- blind_to = "copies that stay within what the source takes every day; logs that do not say how much came back"
-- [usual]
-- taken_from_one = 100000000
-- taken_inside = 200000000
-- [columns]
-- taken_from_one = "bytes taken from the inside machine that gave most"
-- taken_inside = "bytes taken from machines inside in the day"
-- [columns_fr]
-- taken_from_one = "octets pris à la machine interne qui en a donné le plus"
-- taken_inside = "octets pris à des machines internes dans la journée"
-- [shown_with]
-- taken_from_one = "taken_from"
-- taken_inside = "taken_from"
with pairs as (
    select inside_ip, destination_ip, day, sum(coalesce(destination_bytes, 0)) as taken
    from flows where destination_inside and inside_ip is not null and failed is not true group by all
), ranked as (
    select *, row_number() over (partition by inside_ip, day order by taken desc, destination_ip) as place from pairs
)
select inside_ip as source_ip, day, max(taken) as taken_from_one, sum(taken) as taken_inside,
       max(case when place = 1 then destination_ip end) as taken_from
from ranked group by inside_ip, day
