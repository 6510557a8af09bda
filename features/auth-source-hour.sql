-- about = "What an address tried to log in as, and where, in an hour."
-- entity = "source_ip"
-- window = "1 hour"
-- blind_to = "attacks spread over many addresses; a stolen password used once"
-- [columns]
-- attempts = "login attempts"
-- failures = "failed logins"
-- failed_share = "share of the attempts that failed, 0 to 1"
-- successes = "successful logins"
-- users = "different user names tried"
-- hosts = "different hosts tried"
-- attempts_per_user = "attempts for each user name"
-- unknown_users = "different user names that do not exist"
-- hour_utc = "hour of the day (UTC)"
-- [columns_fr]
-- attempts = "tentatives de connexion"
-- failures = "connexions échouées"
-- failed_share = "part des tentatives échouées, de 0 à 1"
-- successes = "connexions réussies"
-- users = "noms d’utilisateur différents essayés"
-- hosts = "machines différentes essayées"
-- attempts_per_user = "tentatives par nom d’utilisateur"
-- unknown_users = "noms d’utilisateur différents qui n’existent pas"
-- hour_utc = "heure de la journée (UTC)"
select source_ip, window_start,
       sum(case when event_action = 'ssh_login' then 1.0 else 0.0 end) as attempts,
       sum(case when event_action = 'ssh_login' and event_outcome = 'failure' then 1.0 else 0.0 end) as failures,
       avg(case when event_action <> 'ssh_login' then null when event_outcome = 'failure' then 1.0 else 0.0 end)
           as failed_share,
       sum(case when event_action = 'ssh_login' and event_outcome = 'success' then 1.0 else 0.0 end) as successes,
       cast(count(distinct user_name) as double) as users,
       cast(count(distinct host_name) as double) as hosts,
       sum(case when event_action = 'ssh_login' then 1.0 else 0.0 end)
           / greatest(count(distinct user_name), 1) as attempts_per_user,
       cast(count(distinct case when event_action = 'ssh_invalid_user' then user_name end) as double) as unknown_users,
       cast(extract(hour from window_start) as double) as hour_utc
from events
where class_uid = 3002 and source_ip is not null
group by source_ip, window_start
