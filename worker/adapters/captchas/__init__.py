"""Puzzles that cost a machine more than they cost a reader, one file each."""
