-- about = "What a program on a host wrote in an hour, template by template, in order: for detectors of sequences."
-- entity = ["host_name", "process_name"]
-- window = "1 hour"
-- blind_to = "values of parameters, which are blanked out; how long a step took; what comes after 10,000 lines of an hour"
-- [columns]
-- steps = "steps in order"
-- step_count = "lines in the hour"
-- [columns_fr]
-- steps = "étapes dans l’ordre"
-- step_count = "lignes dans l’heure"
select host_name, process_name, window_start,
       array_to_string(list_slice(list(
           replace(template, ' ', '_') order by time, source_line, event_id), 1, 10000), ' ') as steps,
       cast(count(*) as double) as step_count
from events join event_templates using (event_id)
where host_name is not null and process_name is not null
group by host_name, process_name, window_start
