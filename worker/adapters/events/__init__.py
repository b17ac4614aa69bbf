"""What providers tell us of messages they have taken on, one file a provider: its proof of origin, and its words.

Each translates through lookup tables, as django-anymail does; what has no entry becomes `UNKNOWN`, and is kept.
"""
