"""The page for people. Everything that came by mail is escaped."""

from collections.abc import Sequence
from html import escape

from infra.mail.letter import Kept

SUBJECT_SHOWN_MAX_CHARS = 200
BODY_SHOWN_MAX_CHARS = 4_000

STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8eb); --soft: light-dark(#59636e, #9aa4af);
  --paper: light-dark(#ffffff, #14171a); --line: light-dark(#d6dbe0, #30363d); }
body { margin: 2rem auto; padding: 0 1rem; max-width: 52rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } p, time, .who { color: var(--soft); }
ol { list-style: none; padding: 0; } li { border-top: 1px solid var(--line); padding: .75rem 0; }
.subject { font-weight: 600; overflow-wrap: anywhere; } .who { font-size: .9rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.45 ui-monospace, monospace; }
"""


def render(newest: Sequence[Kept]) -> str:
    """Render the newest letters as one page of HTML."""
    letters = "".join(_item(kept) for kept in newest) or "<li>Nothing has arrived yet.</li>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>Mail</h1>"
        f'<p>The newest {len(newest)}, newest first. The same as data: <a href="/messages">/messages</a>.</p>'
        f"<ol>{letters}</ol></body></html>"
    )


def _item(kept: Kept) -> str:
    letter = kept.letter
    again = f" · arrived {kept.arrivals} times" if kept.arrivals > 1 else ""
    return (
        f'<li><span class="subject">{_text(letter.subject or "(no subject)", SUBJECT_SHOWN_MAX_CHARS)}</span>'
        f'<div class="who">to {_text(", ".join(letter.recipients), SUBJECT_SHOWN_MAX_CHARS)}'
        f" from {_text(letter.sender, SUBJECT_SHOWN_MAX_CHARS)}{again}"
        f' · <time datetime="{escape(kept.received_at)}">{escape(kept.received_at)}</time></div>'
        f"<details><summary>{_text(letter.message_id or 'no Message-ID', SUBJECT_SHOWN_MAX_CHARS)}</summary>"
        f"<pre>{_text(letter.body, BODY_SHOWN_MAX_CHARS)}</pre></details></li>"
    )


def _text(text: str, max_chars: int) -> str:
    return escape(text if len(text) <= max_chars else f"{text[:max_chars]}…")
