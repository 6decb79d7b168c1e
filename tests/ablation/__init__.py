"""What holds Quartet up, taken away piece by piece: each safeguard, its promise, and the test that misses it."""
