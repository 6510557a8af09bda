-- about = "How an address tried to log on: failures, accounts and hosts tried, success after failures, first uses of an account."
-- entity = "source_ip"
-- period = "1 day"
-- family = "logon"
-- role = "source"
-- outside = true
-- floor = 3
-- blind_to = "a stolen password used once from a usual address; guessing spread over many addresses (see daily-logon-host)"
-- new = ["new_hosts_entered", "new_source_of_account"]
-- [first_seen]
-- entry = ["entered", "logged_on"]
-- origin = ["logged_on", "source_ip"]
-- [usual]
-- failures = 5
-- failed_accounts = 2
-- hosts_tried = 3
-- failures_before_success = 2
-- new_hosts_entered = 1
-- new_source_of_account = 1
-- [columns]
-- failures = "failed attempts to log on"
-- failed_accounts = "different accounts that failed to log on"
-- hosts_tried = "different hosts on which a logon was tried"
-- failures_before_success = "failed attempts before a successful one on the same host"
-- new_hosts_entered = "first entries of an account into a host, from here"
-- new_source_of_account = "accounts that logged on from here for the first time, and were known from elsewhere"
-- [columns_fr]
-- failures = "tentatives de connexion échouées"
-- failed_accounts = "comptes différents dont la connexion a échoué"
-- hosts_tried = "machines différentes où une connexion a été tentée"
-- failures_before_success = "échecs avant une connexion réussie sur la même machine"
-- new_hosts_entered = "premières entrées d’un compte sur une machine, depuis ici"
-- new_source_of_account = "comptes connectés d’ici pour la première fois, et connus d’ailleurs"
-- [shown_with]
-- failures = "failed_on"
-- failed_accounts = "failed_on"
-- new_hosts_entered = "hosts_entered"
-- new_source_of_account = "accounts"
with attempts as (
    select source_ip, day, time, host_name, account, logon, repeats, unknown_account from logons where source_ip is not null
), failed as (
    select source_ip, day, host_name, account,
           greatest(coalesce(sum(repeats) filter (logon = 'failure'), 0), coalesce(sum(repeats) filter (unknown_account), 0)) as n
    from attempts where logon is distinct from 'success' group by source_ip, day, host_name, account
), of_source as (
    select source_ip, day, sum(n) as failures, count(distinct account) as failed_accounts,
           array_to_string(list(distinct host_name order by host_name)[1:6], ' · ') as failed_on
    from failed group by source_ip, day
), hosts as (
    select source_ip, day, count(distinct host_name) as n from attempts group by source_ip, day
), runs as (
    select source_ip, day, logon,
           sum(case when logon = 'failure' then repeats else 0 end)
               over (partition by source_ip, day, host_name order by time, logon rows unbounded preceding) as before
    from attempts where logon is not null
), after as (
    select source_ip, day, max(before) as n from runs where logon = 'success' group by source_ip, day
), entries as (
    select l.source_ip, l.day, count(distinct l.entered || ' ' || l.logged_on) as n,
           array_to_string(list(distinct l.logged_on || '@' || l.entered order by l.logged_on || '@' || l.entered)[1:6], ' · ') as hosts_entered
    from logons l join entry k on k.entered = l.entered and k.logged_on = l.logged_on
    where k.first_day = l.day and l.day > k.began and l.source_ip is not null group by l.source_ip, l.day
), origins as (
    select k.source_ip, s.day, count(distinct k.logged_on) as n,
           array_to_string(list(distinct k.logged_on order by k.logged_on)[1:6], ' · ') as accounts
    from origin k join origin_sources s on s.logged_on = k.logged_on
    where k.first_day = s.day and s.day > k.began and s.sources > 1 group by k.source_ip, s.day
)
select hosts.source_ip, hosts.day, coalesce(failures, 0) as failures, coalesce(failed_accounts, 0) as failed_accounts,
       hosts.n as hosts_tried, coalesce(after.n, 0) as failures_before_success,
       coalesce(entries.n, 0) as new_hosts_entered, coalesce(origins.n, 0) as new_source_of_account,
       failed_on, hosts_entered, accounts
from hosts
left join of_source using (source_ip, day) left join after using (source_ip, day)
left join entries using (source_ip, day) left join origins using (source_ip, day)
