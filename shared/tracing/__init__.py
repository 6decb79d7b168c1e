"""One trace of a whole saga: over HTTP, outbox, broker, reactions, provider and mail.

A span is told when what it tells of is over, and what it is called follows from what it is about. So nothing has to be
carried from its beginning to its end, an event that is reacted to twice names the same span, and where nobody records
nothing of this runs. What records is in `shared.tracing.recording`, which nothing imports unless it is asked for.
"""
