"""The room that turns a frozen content into the bytes of a message.

    Content ─▶ view ─▶ templates/mail/ ─▶ inlined HTML, text, subject ─▶ cut at holes ─▶ a message with holes
                              └─ fragments, made once for many contents ───────┘
    Personal ─▶ values between them ─▶ bytes

`compile` is the room's door: `Renderer.compile` once for a content, then `CompiledMail.fill` (in `mail`) once for a
reader. `view`, `prose`, `fitting` and `colour` decide what it says, `holes` where readers differ, `headers` and
`fields` what stands above it, `skeleton` how it travels, `leaf` has a text in both of its forms. All are pure;
`language` reads the catalogues, `fragments` runs the templates. Same input, same bytes.
"""
