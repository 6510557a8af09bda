-- about = "Hosts and sensors that wrote nothing for longer than they ever did."
-- entity = "sender"
-- period = "1 day"
-- family = "silence"
-- role = "host"
-- weight = 0.7
-- blind_to = "a sensor that still writes and no longer sees; machines that are often switched off"
-- [first_seen]
-- speaker = ["sender"]
-- [usual]
-- silent_s = 14400
-- [columns]
-- silent_s = "seconds of the longest silence, of a host or sensor that wrote before that day"
-- [columns_fr]
-- silent_s = "secondes du plus long silence, d’une machine ou d’un capteur qui écrivait avant ce jour"
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
)
select sender, day, max(gap) / 1000000.0 as silent_s from gaps group by sender, day
