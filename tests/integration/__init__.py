"""Tests against real servers, started for the session. Its helpers assert, so their asserts say what they saw."""

import pytest

HELPERS = ("asking", "auditor", "books", "contained", "ends", "handing_back", "health", "letters", "processes", "stage")

pytest.register_assert_rewrite(*(f"{__name__}.{helper}" for helper in HELPERS))
