"""Queries written for Google Alerts, Factiva, Meltwater and Nexis, brought into our query language.

Decides what each foreign construct means here, and says of every one whether it could be kept. A source's own module
reads its syntax (`google`, `factiva`, `meltwater`, `nexis`) by the shared `grammar` into a `draft`; `building` makes a
tree of the draft; `translation` is the way in. `listings` reads the files that people have, `naming` gives topics their
slugs, `writing` makes a file for `tocsin topics import`. All of it is pure; `tocsin topics translate` calls it.
docs/importing-queries.md has the tables.
"""
