"""The dashboard: a passive listener that shows the dance. It causes nothing, and nobody waits for it."""
