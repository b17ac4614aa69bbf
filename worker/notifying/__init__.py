"""Tells the newspaper's own programs what happens to readers: `decide` says when and how often, `run` does it."""
