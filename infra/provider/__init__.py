"""The payment provider: a program of somebody else, with the shape of a payment API and its own ledger.

Quartet speaks to it over HTTP alone and shares no code with it, so that the audit compares two parties that
could really disagree.
"""
