"""From a query to an answer. Knows nothing of SQL, screens or training.

Importing it says how OpenMP's threads wait between two products, so it comes before torch: a few
microseconds awake, as to wake one costs more than a small product; then asleep, as a thread that
waits awake for long takes the core from a training job beside it.
"""

import logging
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

# It warns at each start that it could not fetch faster kernels from a hub, which is never asked.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
