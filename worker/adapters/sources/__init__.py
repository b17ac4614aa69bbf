"""The formats in which articles arrive, one file a format, and the fetching of their bytes.

`files.read_document` and `files.read_feed` choose the format; `fetch.fetch` gets the bytes of a watched source.
Nothing here stores an article or judges whether it is new: that is intake's part.
"""
