"""Lists of sources: OPML as feed readers export it, and YAML as a newsroom keeps it; read, and written again.

Pure: bytes or text in, `Entry`s out, and back. Stores nothing and fetches nothing; `run_lists` does. A list is read
whole or not at all: every fault is told with its line, its field, and what to write instead.
"""
