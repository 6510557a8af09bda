-- about = "Bytes that a source sent outside: to destinations that few others use, and in all."
-- entity = "source_ip"
-- period = "1 day"
-- family = "upload"
-- role = "source"
-- blind_to = "data carried out through destinations that everyone uses; data sent in names or over a proxy"
-- [first_seen]
-- pair = ["destination_ip", "inside_ip"]
-- [usual]
-- rare_upload = 10000000
-- new_upload = 1000000
-- upload_1d = 10000000
-- [columns]
-- rare_upload = "bytes sent to one outside destination, divided by the sources that ever used it"
-- new_upload = "bytes sent to outside destinations that this source never used before"
-- upload_1d = "bytes sent outside in the day"
-- [columns_fr]
-- rare_upload = "octets envoyés à une destination extérieure, divisés par ses sources connues"
-- new_upload = "octets envoyés à des destinations extérieures que cette source n’avait jamais utilisées"
-- upload_1d = "octets envoyés à l’extérieur dans la journée"
-- [shown_with]
-- rare_upload = "sent_to"
-- new_upload = "newly_sent_to"
with pairs as (
    select inside_ip, destination_ip, day, sum(coalesce(source_bytes, 0)) as sent
    from flows where not destination_inside and inside_ip is not null and failed is not true group by all
), weighed as (
    select p.*, sent / cast(sources as double) as rare,
           case when first_day = p.day and p.day > began then sent else 0 end as fresh
    from pairs p
    join pair k on k.destination_ip = p.destination_ip and k.inside_ip = p.inside_ip
    join pair_sources s on s.destination_ip = p.destination_ip and s.day = p.day
), ranked as (
    select *, row_number() over (partition by inside_ip, day order by rare desc, destination_ip) as place,
           row_number() over (partition by inside_ip, day order by fresh desc, destination_ip) as fresh_place
    from weighed
)
select inside_ip as source_ip, day, max(rare) as rare_upload, sum(fresh) as new_upload, sum(sent) as upload_1d,
       max(case when place = 1 then destination_ip end) as sent_to,
       max(case when fresh_place = 1 then destination_ip end) as newly_sent_to
from ranked group by inside_ip, day
