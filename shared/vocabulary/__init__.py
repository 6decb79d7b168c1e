"""The public events: what the services tell each other. Owners write them, everyone else only reads.

A contract changes by adding optional fields, or by a new version of the type; never by changing a field's
meaning.
"""
