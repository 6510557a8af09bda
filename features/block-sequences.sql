-- about = "What happened to a block of a Hadoop file system, template by template, in order: for detectors of sequences."
-- blind_to = "values of parameters, which are blanked out; how long a step took; lines that name no block"
-- [columns]
-- steps = "steps in order"
-- step_count = "lines of the block"
-- [columns_fr]
-- steps = "étapes dans l’ordre"
-- step_count = "lignes du bloc"
select arg_min(event_id, row(time, source_file, source_line, event_id)) as event_id, min(time) as time,
       array_to_string(list_slice(list(
           replace(template, ' ', '_') order by time, source_file, source_line, event_id), 1, 10000), ' ') as steps,
       cast(count(*) as double) as step_count
from (select *, regexp_extract(coalesce(message, raw), 'blk_-?[0-9]+') as block from events)
     join event_templates using (event_id)
where block <> ''
group by block
