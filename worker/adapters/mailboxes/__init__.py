"""Places where returned mail comes in: a Maildir, an IMAP mailbox, standard input."""
