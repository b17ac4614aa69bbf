"""Which topics an article concerns, and which of its words say so.

The way in is `analyser.analyse` for articles, `query.parse` for queries, `references.resolve` for `@topics`, and
`engine.Engine` for many queries at once. All of them are pure; `run.py` alone reads and writes the database.
docs/query-language.md tells readers and editors what a query means.
"""
