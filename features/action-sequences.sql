-- about = "What a user account did on a host in an hour, action by action, in order: for detectors of sequences."
-- entity = ["user_name", "host_name"]
-- window = "1 hour"
-- blind_to = "how long a step took; values such as addresses and commands; what comes after 10,000 steps of an hour"
-- [columns]
-- steps = "steps in order"
-- step_count = "actions in the hour"
-- [columns_fr]
-- steps = "étapes dans l’ordre"
-- step_count = "actions dans l’heure"
select user_name, host_name, window_start,
       array_to_string(list_slice(list(
           replace(coalesce(event_action, event_category, 'event'), ' ', '_')
           || case when event_outcome = 'failure' then ':failed' else '' end
           order by time, source_line, event_id), 1, 10000), ' ') as steps,
       cast(count(*) as double) as step_count
from events
where user_name is not null and host_name is not null
group by user_name, host_name, window_start
