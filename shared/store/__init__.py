"""The real store: PostgreSQL behind the ports, with set-based SQL whose statements do not grow with a batch."""
