"""From a dataset to an adapter. Knows nothing of screens."""

import engine  # noqa: F401  # says how threads wait, before torch comes
