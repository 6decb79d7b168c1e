"""Reality: schedules of the simulator played on PostgreSQL as well, step by step, and held against each other."""
