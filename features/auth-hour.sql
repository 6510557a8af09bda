-- about = "What a user account did on a host in an hour: logins, failures, where from, what as root."
-- entity = ["user_name", "host_name"]
-- window = "1 hour"
-- blind_to = "a stolen password used once from a usual address; password spraying, which touches each account once"
-- [columns]
-- attempts = "login attempts"
-- failures = "failed logins"
-- failed_share = "share of the attempts that failed, 0 to 1"
-- successes = "successful logins"
-- sources = "different source addresses"
-- outside_sources = "different source addresses from the outside"
-- unknown_user = "attempts for an account that does not exist"
-- commands_as_root = "commands run through sudo or su"
-- hour_utc = "hour of the day (UTC)"
-- [columns_fr]
-- attempts = "tentatives de connexion"
-- failures = "connexions échouées"
-- failed_share = "part des tentatives échouées, de 0 à 1"
-- successes = "connexions réussies"
-- sources = "adresses source différentes"
-- outside_sources = "adresses source extérieures différentes"
-- unknown_user = "tentatives pour un compte qui n’existe pas"
-- commands_as_root = "commandes lancées par sudo ou su"
-- hour_utc = "heure de la journée (UTC)"
select user_name, host_name, window_start,
       sum(case when event_action = 'ssh_login' then 1.0 else 0.0 end) as attempts,
       sum(case when event_action = 'ssh_login' and event_outcome = 'failure' then 1.0 else 0.0 end) as failures,
       avg(case when event_action <> 'ssh_login' then null when event_outcome = 'failure' then 1.0 else 0.0 end)
           as failed_share,
       sum(case when event_action = 'ssh_login' and event_outcome = 'success' then 1.0 else 0.0 end) as successes,
       cast(count(distinct source_ip) as double) as sources,
       cast(count(distinct case when not regexp_matches(
           source_ip, '^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|127\.|fe80:|f[cd])') then source_ip end) as double)
           as outside_sources,
       sum(case when event_action = 'ssh_invalid_user' then 1.0 else 0.0 end) as unknown_user,
       sum(case when event_action in ('sudo_command', 'su_session') then 1.0 else 0.0 end) as commands_as_root,
       cast(extract(hour from window_start) as double) as hour_utc
from events
where class_uid = 3002 and user_name is not null and host_name is not null
group by user_name, host_name, window_start
