-- about = "What a source asked the DNS: text hidden in names below one domain, and domains that do not exist."
-- entity = "source_ip"
-- period = "1 day"
-- family = "dns"
-- role = "source"
-- blind_to = "DNS over HTTPS; a tunnel in a domain that many use; a resolver that asks for everyone"
-- new = ["new_hidden_characters"]
-- [first_seen]
-- asked = ["domain", "inside_ip"]
-- [usual]
-- hidden_characters = 500
-- new_hidden_characters = 250
-- unknown_domains = 3
-- new_unknown_domains = 2
-- [columns]
-- hidden_characters = "characters of the different names below one domain, divided by the sources that ever asked for it"
-- new_hidden_characters = "characters of the different names below one domain new to this source, divided by the sources that ever asked for it"
-- unknown_domains = "different domains that do not exist"
-- new_unknown_domains = "different domains that do not exist and that nobody asked for before"
-- [columns_fr]
-- hidden_characters = "caractères des noms différents sous un même domaine, divisés par ses sources connues"
-- new_hidden_characters = "caractères des noms différents sous un même domaine nouveau pour cette source, divisés par ses sources connues"
-- unknown_domains = "domaines différents qui n’existent pas"
-- new_unknown_domains = "domaines différents qui n’existent pas et que personne n’avait demandés"
-- [shown_with]
-- hidden_characters = "domain"
-- new_hidden_characters = "new_domain"
-- unknown_domains = "unknown_domain"
with asked_names as (
    select inside_ip, day, domain, name, max(case when unknown_name then 1 else 0 end) as unknown
    from lookups where domain is not null and inside_ip is not null group by all
), domains as (
    select inside_ip, day, domain, sum(length(name) - length(domain)) as hidden, max(unknown) as unknown
    from asked_names group by all
), weighed as (
    select d.inside_ip, d.day, d.domain, hidden / cast(sources as double) as hidden, unknown,
           case when first_day = d.day and d.day > began then hidden / cast(sources as double) else 0 end as fresh_hidden,
           case when unknown = 1 and sources = 1 and first_day = d.day and d.day > began then 1 else 0 end as fresh
    from domains d
    join asked k on k.domain = d.domain and k.inside_ip = d.inside_ip
    join asked_sources s on s.domain = d.domain and s.day = d.day
), ranked as (
    select *, row_number() over (partition by inside_ip, day order by hidden desc, domain) as place,
           row_number() over (partition by inside_ip, day order by fresh_hidden desc, domain) as fresh_place
    from weighed
)
select inside_ip as source_ip, day, max(hidden) as hidden_characters, max(fresh_hidden) as new_hidden_characters,
       sum(unknown) as unknown_domains,
       sum(fresh) as new_unknown_domains, max(case when place = 1 then domain end) as domain,
       max(case when fresh_place = 1 and fresh_hidden > 0 then domain end) as new_domain,
       array_to_string(list(domain order by domain) filter (unknown = 1)[1:6], ' · ') as unknown_domain
from ranked group by inside_ip, day
