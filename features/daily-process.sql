-- about = "Programs started on a host by a parent that few hosts ever saw start them."
-- entity = "host_name"
-- period = "1 day"
-- family = "process"
-- role = "host"
-- blind_to = "a usual program with unusual arguments; hosts whose processes are not logged; the first day of the logs"
-- new = ["new_chains"]
-- [first_seen]
-- started = ["chain", "host_name"]
-- [usual]
-- new_chains = 3
-- rare_chain = 1
-- [columns]
-- new_chains = "programs started by a parent that never started them on this host, each divided by the hosts that ever saw it"
-- rare_chain = "rarest program and parent of the day: one divided by the hosts that ever saw it"
-- [columns_fr]
-- new_chains = "programmes lancés par un parent qui ne les avait jamais lancés ici, chacun divisé par les machines qui l’ont vu"
-- rare_chain = "programme et parent les plus rares du jour : un divisé par les machines qui les ont vus"
-- [shown_with]
-- new_chains = "newly_started"
-- rare_chain = "rarest_chain"
with chains as (
    select distinct m.host_name, m.day, m.chain, s.sources, k.first_day = m.day and m.day > k.began as is_new
    from meanings m
    join started k on k.chain = m.chain and k.host_name = m.host_name
    join started_sources s on s.chain = m.chain and s.day = m.day
)
select host_name, day, coalesce(sum(cast(1.0 / sources as decimal(24, 12))) filter (is_new), 0) as new_chains,
       1.0 / min(sources) as rare_chain,
       array_to_string(list(chain order by sources, chain) filter (is_new)[1:6], ' · ') as newly_started,
       list(chain order by sources, chain)[1] as rarest_chain
from chains group by host_name, day
