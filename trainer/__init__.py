"""From a dataset to an adapter. Knows nothing of screens."""
