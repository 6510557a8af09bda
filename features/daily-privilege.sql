-- about = "Changes of accounts and rights on a host, and accounts that act as root there for the first time."
-- entity = "host_name"
-- period = "1 day"
-- family = "privilege"
-- role = "host"
-- blind_to = "rights taken without a trace in the logs; an account that has always acted as root"
-- new = ["new_root_accounts", "new_changes"]
-- [first_seen]
-- as_root = ["host_name", "root_account"]
-- change = ["right_change", "host_name"]
-- [usual]
-- right_changes = 3
-- rare_changes = 2
-- new_root_accounts = 2
-- new_changes = 1
-- [columns]
-- right_changes = "changes of accounts, groups, services or audit rules"
-- rare_changes = "kinds of changes of accounts, groups, services or audit rules, each divided by the hosts that ever had one"
-- new_root_accounts = "accounts that acted as root here for the first time"
-- new_changes = "kinds of changes of accounts, groups, services or audit rules that this host never had, each divided by the hosts that ever had one"
-- [columns_fr]
-- right_changes = "modifications de comptes, de groupes, de services ou de règles d’audit"
-- rare_changes = "sortes de modifications de comptes, de groupes, de services ou de règles d’audit, chacune divisée par les machines qui en ont connu"
-- new_root_accounts = "comptes qui ont agi ici en tant que root pour la première fois"
-- new_changes = "sortes de modifications de comptes, de groupes, de services ou de règles d’audit jamais vues sur cette machine, chacune divisée par ses machines connues"
-- [shown_with]
-- right_changes = "rarest_change"
-- rare_changes = "rarest_change"
-- new_root_accounts = "root_accounts"
-- new_changes = "newly_changed"
with changes as (
    select m.host_name, m.day, m.right_change, sum(m.repeats) as n, any_value(s.sources) as hosts
    from meanings m join change_sources s on s.right_change = m.right_change and s.day = m.day
    where m.host_name is not null group by m.host_name, m.day, m.right_change
), of_host as (
    select host_name, day, sum(n) as n, sum(cast(1.0 / hosts as decimal(24, 12))) as rare,
           list(right_change order by hosts, right_change)[1] as rarest_change
    from changes group by host_name, day
), firsts as (
    select k.host_name, s.day, sum(cast(1.0 / s.sources as decimal(24, 12))) as n,
           list(k.right_change order by s.sources, k.right_change)[1] as newly_changed
    from change k join change_sources s on s.right_change = k.right_change
    where k.first_day = s.day and s.day > k.began group by k.host_name, s.day
), roots as (
    select k.host_name, s.day, count(*) as n,
           array_to_string(list(k.root_account order by k.root_account)[1:6], ' · ') as root_accounts
    from as_root k join as_root_sources s on s.host_name = k.host_name
    where k.first_day = s.day and s.day > k.began group by k.host_name, s.day
)
select host_name, day, coalesce(of_host.n, 0) as right_changes, coalesce(rare, 0) as rare_changes,
       coalesce(roots.n, 0) as new_root_accounts, coalesce(firsts.n, 0) as new_changes, rarest_change, root_accounts, newly_changed
from of_host full join roots using (host_name, day) left join firsts using (host_name, day)
