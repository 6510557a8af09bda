-- about = "What a web server had to answer: different addresses, errors of its own, clients."
-- entity = "server_ip"
-- period = "1 day"
-- family = "flood"
-- role = "destination"
-- floor = 5
-- blind_to = "what is encrypted; attacks that the server answers as usual"
-- [usual]
-- urls_10m = 200
-- server_errors_10m = 10
-- [columns]
-- urls_10m = "different addresses asked for, in the busiest 10 minutes"
-- server_errors_10m = "requests answered with an error of the server (5xx), in the busiest 10 minutes"
-- [columns_fr]
-- urls_10m = "adresses différentes demandées, dans les 10 minutes les plus chargées"
-- server_errors_10m = "requêtes en erreur du serveur (5xx), dans les 10 minutes les plus chargées"
with windows as (
    select server_ip, day, count(distinct url) as urls, count(*) filter (status >= 500) as errors
    from requests where server_ip is not null group by server_ip, day, epoch_us(time) // 600000000
)
select server_ip, day, max(urls) as urls_10m, max(errors) as server_errors_10m from windows group by server_ip, day
