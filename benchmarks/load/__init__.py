"""`make load`: an open loop of mixed orders over HTTP, and the check that it all adds up afterwards.

Whatever imports `locust` or `gevent` patches the whole process; so only what `__main__` runs does, and the parts that
decide (kinds, plan, percentiles, audit, verdict) do not.
"""
