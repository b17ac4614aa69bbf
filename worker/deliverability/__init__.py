"""What DNS says in our favour: SPF, DKIM keys, DMARC and the way back for bounces; and what to publish there.

Receivers ask DNS before they believe a From line. This room asks the same questions first, and makes the DKIM keys.
`tocsin doctor` and `tocsin dkim` call it; nothing here sends mail, and sending never waits for it.
"""
