-- about = "Alerts about a machine, weighed by how few machines ever set off the same rule."
-- entity = "victim_or_source"
-- period = "1 day"
-- family = "alert"
-- role = "source"
-- weight = 0.7
-- blind_to = "whatever no rule names; alerts of a machine that name no address"
-- [first_seen]
-- rule_hit = ["rule", "victim_or_source"]
-- [usual]
-- rare_alerts = 1
-- alerts = 5
-- [columns]
-- rare_alerts = "different rules that fired, each divided by the machines that ever set it off"
-- alerts = "alerts"
-- [columns_fr]
-- rare_alerts = "règles différentes déclenchées, chacune divisée par les machines qui l’ont déjà déclenchée"
-- alerts = "alertes"
-- [shown_with]
-- rare_alerts = "rarest_rule"
with hits as (
    select victim_or_source, day, rule, count(*) as n from alerts where victim_or_source is not null group by all
), weighed as (
    select h.*, sources from hits h join rule_hit_sources s on s.rule = h.rule and s.day = h.day
)
select victim_or_source, day, sum(cast(1.0 / sources as decimal(24, 12))) as rare_alerts, sum(n) as alerts,
       list(rule order by sources, rule)[1] as rarest_rule
from weighed group by victim_or_source, day
