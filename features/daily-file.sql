-- about = "Files of a host that were added, removed or changed, and those never touched before."
-- entity = "host_name"
-- period = "1 day"
-- family = "file"
-- role = "host"
-- weight = 0.7
-- blind_to = "files that no integrity checker watches, those of cloud services among them; what was changed inside"
-- new = ["new_paths"]
-- [first_seen]
-- touched = ["changed_path", "host_name"]
-- [usual]
-- changed_files = 20
-- new_paths = 10
-- [columns]
-- changed_files = "different files added, removed or changed"
-- new_paths = "files touched here for the first time, each divided by the hosts where it ever was"
-- [columns_fr]
-- changed_files = "fichiers différents ajoutés, supprimés ou modifiés"
-- new_paths = "fichiers touchés ici pour la première fois, chacun divisé par les machines où il l’a été"
-- [shown_with]
-- changed_files = "rarest_path"
-- new_paths = "rarest_path"
with touches as (
    select distinct m.host_name, m.day, m.changed_path, s.sources, k.first_day = m.day and m.day > k.began as is_new
    from meanings m
    join touched k on k.changed_path = m.changed_path and k.host_name = m.host_name
    join touched_sources s on s.changed_path = m.changed_path and s.day = m.day
)
select host_name, day, count(*) as changed_files,
       coalesce(sum(cast(1.0 / sources as decimal(24, 12))) filter (is_new), 0) as new_paths,
       list(changed_path order by is_new desc, sources, changed_path)[1] as rarest_path
from touches group by host_name, day
