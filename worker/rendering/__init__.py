"""The room that turns a frozen content into the bytes of a message.

    Content ─▶ view (pure) ─▶ templates/mail/ ─▶ inlined HTML, text, subject ─▶ skeletons ─▶ fill(Personal) ─▶ bytes

`compile` is the room's door: `Renderer.compile` once for a content, `CompiledMail.fill` once for a reader. `view`,
`prose`, `fitting`, `colour`, `holes`, `headers` and `mime` decide and are pure; `language` reads the catalogues. Same
input, same bytes.
"""
