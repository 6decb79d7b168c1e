-- What was set aside and is replayed is waited for anew.
GRANT DELETE ON verdicts TO "{role}";
