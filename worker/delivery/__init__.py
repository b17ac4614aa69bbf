"""From a planned row to a provider's receipt: lease, commit, send, record, and find out what was lost."""
