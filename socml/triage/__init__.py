"""One scoring run, opened for review → a queue that every verdict re-ranks at once.

with Triage(by="ana") as triage:
    triage.queue(25)
    triage.label(row_id, "malicious", client_id=…)
    triage.undo()
"""

from socml.triage.session import Triage

__all__ = ["Triage"]
