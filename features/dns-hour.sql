-- about = "What a source asked the DNS in an hour: how much, how varied, how long, how often in vain."
-- entity = "source_ip"
-- window = "1 hour"
-- blind_to = "tunnels that ask less than a busy workstation; DNS over HTTPS"
-- [columns]
-- queries = "DNS questions"
-- names = "different names asked for"
-- domains = "different domains asked for"
-- names_per_domain = "different names for each domain"
-- unknown_share = "share of answers that the name does not exist, 0 to 1"
-- text_share = "share of questions for TXT, NULL or CNAME records, 0 to 1"
-- mean_length = "mean length of a name, in characters"
-- longest_name = "longest name, in characters"
-- mean_label_length = "mean length of the first part of a name, in characters"
-- digit_share = "share of digits in the names, 0 to 1"
-- hour_utc = "hour of the day (UTC)"
-- [columns_fr]
-- queries = "questions DNS"
-- names = "noms différents demandés"
-- domains = "domaines différents demandés"
-- names_per_domain = "noms différents par domaine"
-- unknown_share = "part des réponses « ce nom n’existe pas », de 0 à 1"
-- text_share = "part des questions de type TXT, NULL ou CNAME, de 0 à 1"
-- mean_length = "longueur moyenne d’un nom, en caractères"
-- longest_name = "nom le plus long, en caractères"
-- mean_label_length = "longueur moyenne de la première partie d’un nom, en caractères"
-- digit_share = "part de chiffres dans les noms, de 0 à 1"
-- hour_utc = "heure de la journée (UTC)"
select source_ip, window_start,
       cast(count(*) as double) as queries,
       cast(count(distinct dns_question_name) as double) as names,
       cast(count(distinct regexp_extract(dns_question_name, '([^.]+[.])?[^.]+$')) as double) as domains,
       count(distinct dns_question_name)
           / cast(count(distinct regexp_extract(dns_question_name, '([^.]+[.])?[^.]+$')) as double) as names_per_domain,
       avg(case when dns_response_code = 'NXDOMAIN' then 1.0 when dns_response_code is not null then 0.0 end) as unknown_share,
       avg(case when dns_question_type in ('TXT', 'NULL', 'CNAME') then 1.0 else 0.0 end) as text_share,
       avg(length(dns_question_name)) as mean_length,
       cast(max(length(dns_question_name)) as double) as longest_name,
       avg(length(regexp_extract(dns_question_name, '^[^.]+'))) as mean_label_length,
       sum(length(dns_question_name) - length(regexp_replace(dns_question_name, '[0-9]', '', 'g')))
           / cast(greatest(sum(length(dns_question_name)), 1) as double) as digit_share,
       cast(extract(hour from window_start) as double) as hour_utc
from events
where class_uid = 4003 and source_ip is not null and dns_question_name is not null
group by source_ip, window_start
