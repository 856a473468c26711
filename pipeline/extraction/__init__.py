"""Speech to a store: in this process, or by the workers of a cluster."""
