"""What an audit found, as a document for programs."""

from typing import Any

from infra.audit.findings import EVERY_RULE, Findings


def document_of(findings: Findings) -> dict[str, Any]:
    """Write all that was found."""
    rules = [rule for rule in EVERY_RULE if rule.name in findings.tallies]
    return {
        "clean": findings.is_clean,
        "orders": findings.orders,
        "took_s": round(findings.took_s, 3),
        "rules": [
            {
                "name": rule.name,
                "promise": rule.promise,
                "kind": rule.kind,
                "checked": findings.tallies[rule.name].checked,
                "broken": findings.tallies[rule.name].broken,
            }
            for rule in rules
        ],
        "breaks": [each._asdict() for each in findings.breaks],
        "unread": findings.unread,
    }
