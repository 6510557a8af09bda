-- about = "Alerts about a host that name no address of it, weighed by how few hosts ever set off the same rule."
-- entity = "alerted_host"
-- period = "1 day"
-- family = "alert"
-- role = "host"
-- weight = 0.7
-- blind_to = "whatever no rule names; alerts that name no host"
-- [first_seen]
-- host_rule_hit = ["rule", "alerted_host"]
-- [usual]
-- rare_host_alerts = 1
-- host_alerts = 5
-- [columns]
-- rare_host_alerts = "different rules that fired, each divided by the hosts that ever set it off"
-- host_alerts = "alerts"
-- [columns_fr]
-- rare_host_alerts = "règles différentes déclenchées, chacune divisée par les machines qui l’ont déjà déclenchée"
-- host_alerts = "alertes"
-- [shown_with]
-- rare_host_alerts = "rarest_rule_of_host"
with hits as (
    select alerted_host, day, rule, count(*) as n from alerts where alerted_host is not null group by all
), weighed as (
    select h.*, sources from hits h join host_rule_hit_sources s on s.rule = h.rule and s.day = h.day
)
select alerted_host, day, sum(cast(1.0 / sources as decimal(24, 12))) as rare_host_alerts, sum(n) as host_alerts,
       list(rule order by sources, rule)[1] as rarest_rule_of_host
from weighed group by alerted_host, day
