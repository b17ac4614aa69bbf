"""The watching room: is this article new, an update, or a copy of what we have, and why.

Decides: `validate`, `canonical`, `identity`, `fingerprint`, `decide`, `age_gate`. Does: `run`.
"""
