"""What the network is asked to give, and how an estimate of x0 follows from it."""
