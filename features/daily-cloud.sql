-- about = "What an account did to a cloud that it never did before, and from where: actions of the control plane, by their names."
-- entity = "account"
-- period = "1 day"
-- family = "cloud"
-- role = "account"
-- blind_to = "usual actions on unusual things; what was looked at, or read in bulk; accounts that many people share; clouds whose audit is off"
-- new = ["new_controls", "new_sources_of_control"]
-- [first_seen]
-- control_use = ["control", "account"]
-- control_origin = ["account", "control_ip"]
-- [usual]
-- new_controls = 1
-- new_sources_of_control = 1
-- [columns]
-- new_controls = "kinds of actions on a cloud that it did for the first time, each divided by the accounts that ever did it"
-- new_sources_of_control = "addresses from which it acted on a cloud for the first time, while it was known from others"
-- [columns_fr]
-- new_controls = "sortes d’actions sur un nuage qu’il fait pour la première fois, chacune divisée par les comptes qui l’ont déjà faite"
-- new_sources_of_control = "adresses d’où il a agi sur un nuage pour la première fois, alors qu’il en avait d’autres"
-- [shown_with]
-- new_controls = "newly_done"
-- new_sources_of_control = "newly_acted_from"
with done as (
    select k.account, s.day, sum(cast(1.0 / s.sources as decimal(24, 12))) as n,
           array_to_string(list(k.control order by s.sources, k.control)[1:6], ' · ') as newly_done
    from control_use k join control_use_sources s on s.control = k.control
    where k.first_day = s.day and s.day > k.began group by k.account, s.day
), origins as (
    select k.account, s.day, count(*) as n,
           array_to_string(list(k.control_ip order by k.control_ip)[1:6], ' · ') as newly_acted_from
    from control_origin k join control_origin_sources s on s.account = k.account
    where k.first_day = s.day and s.day > k.began group by all having any_value(s.sources) > count(*)
)
select account, day, coalesce(done.n, 0) as new_controls, coalesce(origins.n, 0) as new_sources_of_control,
       newly_done, newly_acted_from
from done full join origins using (account, day)
