from .simulation import SimulatedLogs as SimulatedLogs
from .simulation import simulate as simulate
