"""Who gets what, and when: alerts, digests and confirmation questions become editions and their rows."""
