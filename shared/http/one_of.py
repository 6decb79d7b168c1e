"""Bodies that say what they mean in exactly one of several ways, as their JSON schema tells it."""

from typing import Any, Literal


def one_of(**ways: Literal["array", "string", True]) -> dict[str, Any]:
    """Describe that exactly one of these members says something: one of its type, or true."""
    return {
        "oneOf": [
            {"required": [name], "properties": {name: {"const": True} if way is True else {"type": way}}}
            for name, way in ways.items()
        ]
    }
