"""Counts opens and clicks of editions, where the newsroom wants it: who is taken for a person, and how many there were.

`classify` judges one request, `window` what a client does within an hour; both are pure. `run` keeps the figures.
Nothing here knows readers.
"""
