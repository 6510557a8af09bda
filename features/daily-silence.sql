-- about = "Hosts and sensors that wrote nothing for longer than they ever did."
-- entity = "sender"
-- period = "1 day"
-- family = "silence"
-- role = "host"
-- weight = 0.7
-- blind_to = "a sensor that still writes and no longer sees; machines that are often switched off"
-- [first_seen]
-- speaker = ["sender"]
-- spoke_at = ["sender_hour"]
-- [usual]
-- silent_s = 14400
-- missing_hours = 2
-- [columns]
-- silent_s = "seconds of the longest silence, of a host or sensor that wrote before that day"
-- missing_hours = "hours without a word of a host or sensor that ever wrote at each hour of the day"
-- [columns_fr]
-- silent_s = "secondes du plus long silence, d’une machine ou d’un capteur qui écrivait avant ce jour"
-- missing_hours = "heures sans un mot d’une machine ou d’un capteur qui écrivait à toute heure"
with span as (
    select day, min(epoch_us(time)) as begins, max(epoch_us(time)) as ends from meanings group by day
), marks as (
    select s.sender, p.day, p.begins as at_us from every_speaker s cross join span p where s.first_day < p.day
    union all
    select s.sender, p.day, p.ends from every_speaker s cross join span p where s.first_day < p.day
    union all
    select m.sender, m.day, epoch_us(m.time) from meanings m join every_speaker s on s.sender = m.sender
    where s.first_day < m.day
), gaps as (
    select sender, day, at_us - lag(at_us) over (partition by sender, day order by at_us) as gap from marks
), silences as (
    select sender, day, max(gap) / 1000000.0 as silent_s from gaps group by sender, day
), always as (  -- written at each hour before that day, or all but one
    select regexp_replace(sender_hour, ' [0-9]+$', '') as sender, p.day, count(*) as hours
    from every_spoke_at s cross join span p where s.first_day < p.day group by all having count(*) >= 23
), covered as (  -- hours of which the logs of that day have a word at all
    select day, count(distinct epoch_us(time) // 3600000000) as hours from meanings group by day
), heard as (
    select sender, day, count(distinct epoch_us(time) // 3600000000) as hours from meanings where sender is not null group by all
)
select s.sender, s.day, s.silent_s,
       case when a.sender is null then 0 else greatest(0, c.hours - coalesce(h.hours, 0)) end as missing_hours
from silences s join covered c on c.day = s.day
left join always a on a.sender = s.sender and a.day = s.day left join heard h on h.sender = s.sender and h.day = s.day
