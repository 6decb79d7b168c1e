"""The code, changed in every small way: a change that no test minds is one that nobody is held to."""
