"""The outside world, one file a format or provider: `sources` in, `transports` out, and what providers report back."""
