"""Asks a spam filter what it makes of a mail: an rspamd by HTTP, or SpamAssassin's program, whichever is there.

Sends nothing to anybody else: the mail is a preview, whose links lead nowhere. Decides nothing about the score. Called
by `worker.rehearsal`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from worker.preflight.check_spam import Score

RSPAMD: Final = "http://127.0.0.1:11333"
AUTO, OFF, SPAMASSASSIN = "auto", "off", "spamassassin"
_INSTALL: Final = "install rspamd or SpamAssassin, or set TOCSIN_SPAM_CHECK to an rspamd's address"
_PLACES: Final = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin"


def ask_spam_filter(message: bytes, which: str, *, sender: str, within_s: float = 30.0) -> Score | None:
    """Return what a filter says, whatever happens; None where none is to be asked.

    `which` is TOCSIN_SPAM_CHECK: auto, off, spamassassin, or the address of an rspamd.
    """
    if which == OFF:
        return None
    if which == SPAMASSASSIN:
        return _spamassassin(message, within_s)
    if which != AUTO:
        return _rspamd(message, which, sender, within_s)
    found = _rspamd(message, RSPAMD, sender, within_s)
    return _spamassassin(message, within_s) if found.trouble else found


def _rspamd(message: bytes, url: str, sender: str, within_s: float) -> Score:
    headers = {"From": sender, "Rcpt": sender, "Settings-Id": "", "User-Agent": "Tocsin"}
    try:
        with httpx.Client(trust_env=False, timeout=httpx.Timeout(within_s, connect=5)) as client:
            answer = client.post(f"{url.rstrip('/')}/checkv2", content=message, headers=headers).raise_for_status()
        found = answer.json()
        rules = {str(name): float(one["score"]) for name, one in found["symbols"].items()}
        return Score(by="rspamd", points=float(found["score"]), rules=rules)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        trouble = (
            f"rspamd at {urlsplit(url).netloc.rpartition('@')[2]} does not answer: {str(error) or type(error).__name__}"
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        trouble = f"what answers at {urlsplit(url).netloc.rpartition('@')[2]} is no rspamd"
    return Score(by="rspamd", trouble=trouble[:300], advice="start it, or set TOCSIN_SPAM_CHECK to its address")


def _spamassassin(message: bytes, within_s: float) -> Score:
    program = shutil.which("spamassassin") or shutil.which("spamassassin", path=_PLACES)
    if not program:
        return Score(by="SpamAssassin", trouble="no spam filter is here", advice=_INSTALL)
    with tempfile.TemporaryDirectory(prefix="tocsin-spam-") as folder:
        file = Path(folder, "mail.eml")
        file.write_bytes(message.replace(b"\r\n", b"\n"))
        # It asks nobody and learns nothing: --local, no Bayes, and a home that goes with the folder.
        settings = ("use_bayes 0", "add_header all Points _TESTSSCORES(,)_", "fold_headers 0")
        command = [program, "--local", "--nocreate-prefs", *(f"--cf={one}" for one in settings), str(file)]
        environment = {**os.environ, "HOME": folder, "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=within_s)  # noqa: S603  our own words and a path of ours
        except subprocess.TimeoutExpired:
            trouble = f"SpamAssassin took longer than {within_s:g} s"
        except (OSError, subprocess.CalledProcessError) as error:
            trouble = f"SpamAssassin fails: {error}"[:300]
        else:
            return _read(done.stdout.decode(errors="replace"))
    return Score(by="SpamAssassin", trouble=trouble, advice="run `spamassassin --lint`")


def _read(told: str) -> Score:
    points = re.search(r"^X-Spam-Status: \w+, score=(-?[0-9.]+) ", told, re.MULTILINE)
    rules = re.search(r"^X-Spam-Points: (.*)$", told, re.MULTILINE)
    if points is None:
        return Score(by="SpamAssassin", trouble="SpamAssassin gives no score", advice="run `spamassassin --lint`")
    named = [one.partition("=") for one in rules[1].split(",")] if rules else []
    scores = {name.strip(): float(count) for name, _, count in named if re.fullmatch(r"-?[0-9.]+", count)}
    return Score(by="SpamAssassin", points=float(points[1]), rules=scores)
