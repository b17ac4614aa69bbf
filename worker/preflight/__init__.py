"""What is wrong with a mail before anybody gets it: its links, pictures, size, styles, headers, words and stories.

Judges mails and sends none. Files not named `run_*` only decide: what servers and spam filters have answered is handed
to them. `worker.rehearsal` puts a mail, the answers and the checks together.
"""
