-- about = "What a client asked of web servers: a rare program, requests in vain, odd characters in the addresses."
-- entity = "source_ip"
-- period = "1 day"
-- family = "web"
-- role = "source"
-- outside = true
-- weight = 0.7
-- blind_to = "what is encrypted; attacks in the body of a request"
-- [first_seen]
-- agent_use = ["agent", "inside_ip"]
-- [usual]
-- rare_agent = 1
-- client_errors = 5
-- odd_characters = 20
-- [columns]
-- rare_agent = "rarest user agent: one divided by the sources that ever used it"
-- client_errors = "requests answered with an error of the client (4xx)"
-- odd_characters = "special characters in the different addresses asked for"
-- [columns_fr]
-- rare_agent = "programme client le plus rare : un divisé par ses sources connues"
-- client_errors = "requêtes refusées par le serveur (4xx)"
-- odd_characters = "caractères spéciaux dans les adresses demandées"
-- [shown_with]
-- rare_agent = "agent"
-- odd_characters = "oddest_url"
with agents as (
    select r.inside_ip as source_ip, r.day, 1.0 / s.sources as rare, r.agent
    from (select distinct inside_ip, day, agent from requests where agent is not null and inside_ip is not null) r
    join agent_use_sources s on s.agent = r.agent and s.day = r.day
    qualify row_number() over (partition by r.inside_ip, r.day order by s.sources, r.agent) = 1
), urls as (
    select source_ip, day, url, length(url) - length(regexp_replace(url, '[^A-Za-z0-9/._=&?+ -]', '', 'g')) as odd
    from (select distinct source_ip, day, url from requests where url is not null)
), odd as (
    select source_ip, day, sum(odd) as n from urls group by all
), oddest as (
    select source_ip, day, url as oddest_url from urls
    qualify row_number() over (partition by source_ip, day order by odd desc, url) = 1
), errors as (
    select source_ip, day, count(*) filter (status between 400 and 499) as n from requests group by all
)
select errors.source_ip, errors.day, coalesce(agents.rare, 0) as rare_agent, errors.n as client_errors,
       coalesce(odd.n, 0) as odd_characters, agents.agent, oddest_url
from errors left join agents using (source_ip, day) left join odd using (source_ip, day) left join oddest using (source_ip, day)
