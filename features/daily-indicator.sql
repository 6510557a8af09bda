-- about = "What a source had to do with what threat intelligence lists: addresses, names and those below them, URLs, files, TLS clients."
-- entity = "source_ip"
-- period = "1 day"
-- family = "indicator"
-- role = "source"
-- blind_to = "whatever no indicator names, networks and patterns among them; indicators that came after the day; whether one was out of date"
-- [first_seen]
-- listed = ["indicator"]
-- [usual]
-- indicators = 1
-- [columns]
-- indicators = "different indicators of threat intelligence met"
-- [columns_fr]
-- indicators = "indicateurs de menace différents rencontrés"
-- [shown_with]
-- indicators = "indicators_met"
with seen as (
    select distinct inside_ip, day, destination_ip, url, file_hash, ja3, coalesce(name, server_name, web_name) as name
    from meanings where inside_ip is not null and kind <> 'indicator'
), parents as (
    select name, unnest(list_transform(range(1, len(string_split(name, '.')) + 1),
                                       lambda i: array_to_string(string_split(name, '.')[i:], '.'))) as parent
    from (select distinct name from seen where name is not null and exists (select 1 from every_listed))
), said as (
    select inside_ip, day, destination_ip as what from seen union select inside_ip, day, url from seen
    union select inside_ip, day, file_hash from seen union select inside_ip, day, ja3 from seen
    union select s.inside_ip, s.day, p.parent from seen s join parents p on p.name = s.name
)
select inside_ip as source_ip, s.day, count(distinct what) as indicators,
       array_to_string(list(distinct what order by what)[1:6], ' · ') as indicators_met
from said s join every_listed i on i.indicator = s.what group by inside_ip, s.day
