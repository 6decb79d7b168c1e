"""Tests of the audit over facts in memory."""
