-- about = "How a host was tried: failures, accounts and sources, those from outside apart."
-- entity = "host_name"
-- period = "1 day"
-- family = "logon"
-- role = "host"
-- floor = 3
-- blind_to = "guessing spread over many hosts; hosts whose logs are not collected"
-- [usual]
-- outside_sources_failed = 5
-- host_failures = 60
-- host_failed_accounts = 3
-- [columns]
-- outside_sources_failed = "different outside addresses that failed to log on"
-- host_failures = "failed attempts to log on"
-- host_failed_accounts = "different known accounts that failed to log on"
-- [columns_fr]
-- outside_sources_failed = "adresses extérieures différentes dont la connexion a échoué"
-- host_failures = "tentatives de connexion échouées"
-- host_failed_accounts = "comptes connus différents dont la connexion a échoué"
with failed as (
    select host_name, day, source_ip, source_inside, account, repeats, unknown_account from logons
    where host_name is not null and logon is distinct from 'success'
), unknown as (
    select distinct host_name, day, account from failed where unknown_account
)
select f.host_name, f.day,
       count(distinct case when not source_inside then source_ip end) as outside_sources_failed,
       coalesce(sum(repeats) filter (not unknown_account), 0) as host_failures,
       count(distinct case when u.account is null then f.account end) as host_failed_accounts
from failed f left join unknown u on u.host_name = f.host_name and u.day = f.day and u.account = f.account
group by f.host_name, f.day
