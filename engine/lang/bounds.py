"""How much of one fact is taken, and how far ahead of the receiver's clock (microseconds)."""

from typing import Final

from engine.core.values import MINUTE

AHEAD: Final = 5 * MINUTE
MAX_KEYS: Final = 1_000
MAX_KEY: Final = 256
MAX_SIZE: Final = 262_144
MAX_DEPTH: Final = 32
MAX_HOST: Final = 253
MAX_INTEGER: Final = 2**63 - 1
