"""From a query to an answer. Knows nothing of SQL, screens or training."""
