"""The auditor: a program that runs an audit when the dashboard asks for one, and keeps what the last one found.

An audit reads what no service may, so the passwords for it are this program's alone. Whoever reaches it can have an
audit run, and read what came of it, and nothing else. Until one is asked for nothing of an audit is loaded.
"""
