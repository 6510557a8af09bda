-- about = "How an account was used: failures, hosts and sources, and those it never used before."
-- entity = "account"
-- period = "1 day"
-- family = "logon"
-- role = "account"
-- floor = 3
-- blind_to = "accounts shared by many people; one use from a usual place; countries that no service tells"
-- new = ["new_hosts_of_account", "new_sources_of_account", "new_countries_of_account"]
-- [first_seen]
-- entry = ["entered", "logged_on"]
-- origin = ["logged_on", "source_ip"]
-- origin_country = ["logged_on", "country"]
-- [usual]
-- account_failures = 10
-- account_hosts = 7
-- new_hosts_of_account = 1
-- new_sources_of_account = 1
-- new_countries_of_account = 1
-- [columns]
-- account_failures = "failed attempts to log on"
-- account_hosts = "different hosts entered"
-- new_hosts_of_account = "hosts entered for the first time"
-- new_sources_of_account = "addresses it logged on from for the first time, while it was known from others"
-- new_countries_of_account = "countries it logged on from for the first time, as the service tells them, while it was known from others"
-- [columns_fr]
-- account_failures = "tentatives de connexion échouées"
-- account_hosts = "machines différentes où il est entré"
-- new_hosts_of_account = "machines où il est entré pour la première fois"
-- new_sources_of_account = "adresses d’où il s’est connecté pour la première fois, alors qu’il en avait d’autres"
-- new_countries_of_account = "pays d’où il s’est connecté pour la première fois, selon le service, alors qu’il en avait d’autres"
-- [shown_with]
-- new_hosts_of_account = "newly_entered"
-- new_sources_of_account = "newly_from"
-- new_countries_of_account = "newly_in"
with known as (
    select logged_on as account, day, count(distinct entered) as hosts from logons where logged_on is not null group by all
), failed as (
    select account, day, sum(repeats) as n from logons where logon = 'failure' and account is not null group by all
), hosts as (
    select k.logged_on as account, l.day, count(distinct k.entered) as n,
           array_to_string(list(distinct k.entered order by k.entered)[1:6], ' · ') as newly_entered
    from (select distinct entered, logged_on, day from logons) l
    join entry k on k.entered = l.entered and k.logged_on = l.logged_on
    where k.first_day = l.day and l.day > k.began group by all
), sources as (
    select k.logged_on as account, s.day, count(*) as n,
           array_to_string(list(k.source_ip order by k.source_ip)[1:6], ' · ') as newly_from
    from origin k join origin_sources s on s.logged_on = k.logged_on
    where k.first_day = s.day and s.day > k.began group by all having any_value(s.sources) > count(*)
), countries as (
    select k.logged_on as account, s.day, count(*) as n,
           array_to_string(list(k.country order by k.country)[1:6], ' · ') as newly_in
    from origin_country k join origin_country_sources s on s.logged_on = k.logged_on
    where k.first_day = s.day and s.day > k.began group by all having any_value(s.sources) > count(*)
)
select account, day, coalesce(failed.n, 0) as account_failures, coalesce(known.hosts, 0) as account_hosts,
       coalesce(hosts.n, 0) as new_hosts_of_account, coalesce(sources.n, 0) as new_sources_of_account,
       coalesce(countries.n, 0) as new_countries_of_account, newly_entered, newly_from, newly_in
from known full join failed using (account, day) left join hosts using (account, day) left join sources using (account, day)
left join countries using (account, day)
