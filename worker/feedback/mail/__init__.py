"""What a returned mail says: bounce, complaint, auto-reply or something else, about whom, and for how long.

`classify.findings` is the way in. Everything here is pure and bounded: any bytes give at least one finding, none raise.
"""
