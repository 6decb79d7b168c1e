"""The choreography, read from the code: nobody writes the whole dance down, so it is put together from its parts.

`reading.choreography()` gives it as a `graph.Choreography`: events, reactions and intents by their names, and what may
follow what. `checks` says what a dance must keep to. Both are pure, so a screen, a simulator or an audit can lean on
them. `drawing` with `mermaid` and `dot` makes pictures of it, `as_json` a document for programs, `page` the tables of
`docs/choreography.md`.
"""
