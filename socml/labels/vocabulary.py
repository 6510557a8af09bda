"""The words that other tools use for a verdict → ours; what is no verdict yet is told apart from what is unknown.

References
----------
SecuML, annotations (`label`: malicious or benign): https://github.com/ANSSI-FR/SecuML, docs/SecuML.Data.rst
TheHive 5, case status and 4, resolutionStatus: https://docs.strangebee.com/thehive/api-docs/
Elastic Security 9.2, `kibana.alert.workflow_reason`: https://github.com/elastic/docs-content/issues/2810
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NO_VERDICT = ""
"""What a value maps to that says nothing about the event: it is new, open, a duplicate, or closed without a word."""

_MEANINGS = {
    "malicious": "malicious attack attacker anomaly anomalous outlier bad malware intrusion threat true_positive tp "
    "true_positive_malicious confirmed compromised positive true yes 1 malveillant attaque",
    "benign": "benign normal legitimate good background clean expected inlier benign_positive bp benign_true_positive "
    "true_positive_benign informational_expected_activity authorized authorised negative false no 0 "
    "bénin normale légitime",
    "false_alarm": "false_alarm false_positive fp not_an_incident fausse_alerte faux_positif",
    "unsure": "unsure unknown indeterminate undetermined inconclusive suspicious maybe incertain indéterminé",
    "skip": "skip skipped",
    NO_VERDICT: "new open opened inprogress in_progress acknowledged imported updated duplicate duplicated other closed "
    "resolved deleted merged automated_closure unlabelled unlabeled none nan null n/a na ?",
}
_VERDICT_OF = {word: verdict for verdict, words in _MEANINGS.items() for word in words.split()}


def verdict_of(value: object, more: Mapping[str, str] | None = None) -> str | None:
    """Return our verdict for a foreign word, `NO_VERDICT` where it is none, and None for a word nobody knows.

    Case, blanks, dashes and camel case do not matter. `more` maps further words, and comes first.

    Examples
    --------
    >>> verdict_of("TruePositive"), verdict_of("False Positive"), verdict_of("MALICIOUS"), verdict_of("InProgress")
    ('malicious', 'false_alarm', 'malicious', '')
    >>> verdict_of("neptune") is None, verdict_of("neptune", {"neptune": "malicious"})
    (True, 'malicious')
    """
    text = str(value).strip()
    for word, verdict in (more or {}).items():
        if normal(word) == normal(text):
            return verdict
    if not text:
        return NO_VERDICT
    return _VERDICT_OF.get(normal(text), _VERDICT_OF.get(normal(text).replace("_", "")))


def normal(word: str) -> str:
    """Return a word in lower case with underscores between its parts.

    Examples
    --------
    >>> normal("TruePositive"), normal("false-positive"), normal("1.0")
    ('true_positive', 'false_positive', '1')
    """
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word.strip())
    word = re.sub(r"[\s\-]+", "_", word).lower()
    return word[:-2] if re.fullmatch(r"\d+\.0", word) else word
