-- about = "Messages of a host's logs whose wording was never seen there before."
-- entity = "host_name"
-- period = "1 day"
-- family = "template"
-- role = "host"
-- weight = 0.7
-- blind_to = "usual messages at an unusual place; values in them; the first day of the logs"
-- new = ["new_templates", "unseen_templates"]
-- [first_seen]
-- wording = ["template", "host_name"]
-- [usual]
-- new_templates = 5
-- unseen_templates = 3
-- [columns]
-- new_templates = "wordings this host never logged before, each divided by the hosts that ever logged it"
-- unseen_templates = "wordings that no host ever logged before"
-- [columns_fr]
-- new_templates = "formulations jamais journalisées par cette machine, chacune divisée par ses machines connues"
-- unseen_templates = "formulations qu’aucune machine n’avait jamais journalisées"
-- [shown_with]
-- new_templates = "rarest_wording"
-- unseen_templates = "rarest_wording"
with fresh as (
    select k.host_name, s.day, k.template, s.sources
    from wording k join wording_sources s on s.template = k.template
    where k.first_day = s.day and s.day > k.began
), earlier as (
    select template, count(*) as today from fresh group by template
)
select f.host_name, f.day, sum(cast(1.0 / f.sources as decimal(24, 12))) as new_templates,
       count(*) filter (f.sources = e.today) as unseen_templates,
       list(f.template order by f.sources, f.template)[1] as rarest_wording
from fresh f join earlier e on e.template = f.template group by f.host_name, f.day
