"""The ways out of the house, one file a provider; `build.py` makes them from the text of `TOCSIN_TRANSPORTS`."""
