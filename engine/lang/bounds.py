"""How much of one fact is taken."""

from typing import Final

MAX_KEYS: Final = 1_000
MAX_KEY: Final = 256
MAX_SIZE: Final = 262_144
MAX_DEPTH: Final = 32
MAX_HOST: Final = 253
MAX_INTEGER: Final = 2**63 - 1
