-- about = "Each line of a text log: which template its message has, how rare that is, and how much of it varies."
-- blind_to = "sequences: a usual line at an unusual place; values of parameters, which are blanked out"
-- [columns]
-- template = "template of the message, what varies as <*>"
-- template_surprise = "surprise of the template, in bits: how rare it is in this dataset"
-- program_surprise = "surprise of the program, in bits: how rarely it writes"
-- template_parameters = "parts of the template that vary"
-- words = "words in the message"
-- event_severity = "severity that the program gave, 0 to 100"
-- [columns_fr]
-- template = "modèle du message, ce qui varie noté <*>"
-- template_surprise = "surprise du modèle, en bits : sa rareté dans ce jeu de données"
-- program_surprise = "surprise du programme, en bits : la rareté de ses messages"
-- template_parameters = "parties du modèle qui varient"
-- words = "mots du message"
-- event_severity = "gravité donnée par le programme, de 0 à 100"
select event_id, time, template, template_surprise, template_parameters, words,
       -log2(count(*) over (partition by process_name) * 1.0 / count(*) over ()) as program_surprise,
       cast(event_severity as double) as event_severity
from events join event_templates using (event_id)
