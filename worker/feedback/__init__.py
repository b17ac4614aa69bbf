"""What providers and readers tell us afterwards, turned into suppressions: the room that closes the loop.

Bounces, complaints and provider webhooks move in with the delivery work that is planned next (CHANGELOG.md); until then
a suppression comes from `tocsin subscribers suppress`, and a delivery's last word is the relay's reply.
"""
