-- about = "Each line as the sequence of its words or characters: system calls of a process, the value of a parameter."
-- blind_to = "other lines: what is usual by itself and unusual after another"
-- [columns]
-- steps = "steps in order"
-- [columns_fr]
-- steps = "étapes dans l’ordre"
select event_id, time, coalesce(message, raw) as steps
from events
where coalesce(message, raw) is not null
