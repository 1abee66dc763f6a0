"""Long hunts for what should never happen. `make test-all` takes a small bite of each; the environment
asks for more: MANTEL_KILLS=1000, MANTEL_INPUTS=1000000, MANTEL_SEED for another way through.
"""

import os

KILLS = int(os.environ.get("MANTEL_KILLS", "30"))
INPUTS = int(os.environ.get("MANTEL_INPUTS", "20000"))
SEED = int(os.environ.get("MANTEL_SEED", "1"))
