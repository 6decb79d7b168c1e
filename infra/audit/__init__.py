"""The audit: what Quartet promises, held against everything that is written down anywhere.

`facts` is what is known, `rules` what is promised: both pure, so a simulator can hold its world in memory against the
same rules. `reading` fills the facts from the four schemas, `books` from the provider's ledger, `lanes` from the
broker.
"""
