"""Strangers who judge our mail: rspamd and SpamAssassin, mailauth and mailparser. All offline, none of them ours.

Starts, asks and stops them; asserts nothing. `conftest.py` makes fixtures of it. What is missing raises `MissingError`.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from tests.http import NO_TLS
from worker.runtime.ports import free_port

HERE: Final = Path(__file__).parent
_START_S: Final = 400.0  # five seconds of an idle machine, and this one may be anything but
_ASK_S: Final = 60.0
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tocsin-tests"
_SUFFIXES: Final = Path("/usr/share/rspamd/effective_tld_names.dat")
# These ask services on the internet, or remember what they have seen.
_WITHOUT: Final = (
    *("asn", "bimi", "dcc", "fuzzy_check", "greylist", "mx_check", "neural", "phishing", "ratelimit", "rbl"),
    *("replies", "reputation", "rspamd_update", "surbl", "url_redirector"),
)


class MissingError(Exception):
    """A judge is not here; says which, and how to get it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """What a spam filter says: `points` above zero lean towards spam, `rules` are what it has noticed."""

    points: float
    rules: Mapping[str, float]

    @property
    def against(self) -> dict[str, float]:
        """The rules that count against the mail."""
        return {rule: points for rule, points in self.rules.items() if points > 0}


def program(name: str, package: str) -> str:
    """Return where a program is. Raises `MissingError`."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise MissingError(f"{name} is missing ({package})")
    return found


class Rspamd:
    """An rspamd with a folder of its own, that asks one name server and nobody else."""

    def __init__(self, name_server: tuple[str, int]) -> None:
        self._program = program("rspamd", "Debian's package `rspamd`")
        self._name_server = name_server
        self._port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="tocsin-rspamd-"))
        self._log = self._folder / "log"

    def __enter__(self) -> Self:
        self._configure()
        variables = [f"--var={name}={self._folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR")]
        with self._log.open("wb") as log:
            command = [self._program, "--no-fork", "--insecure", "--config=/etc/rspamd/rspamd.conf", *variables]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0)
        give_up_s = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_s:
                self.__exit__(None, None, None)
                raise RuntimeError(f"rspamd does not start:\n{self._said[-3000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._said = self._log.read_text(errors="replace")
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self._folder)

    def score(self, message: bytes, *, sender: str, recipient: str, address: str, host: str) -> Score:
        """Return what it says of a message that comes from such a machine."""
        headers = {"From": sender, "Rcpt": recipient, "IP": address, "Helo": host, "Hostname": host}
        answer = httpx.post(
            f"http://127.0.0.1:{self._port}/checkv2", content=message, headers=headers, timeout=_ASK_S, verify=NO_TLS
        )
        found = answer.raise_for_status().json()
        return Score(points=found["score"], rules={name: one["score"] for name, one in found["symbols"].items()})

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/ping", timeout=5, verify=NO_TLS).text.startswith("pong")
        except httpx.HTTPError:
            return False

    def _suffixes(self) -> Path:
        """Return a file with the short ones of all public suffixes: to compile ten thousand costs it twelve seconds."""
        known = _SUFFIXES.read_text(encoding="utf-8").splitlines()
        file = self._folder / "suffixes"
        file.write_text(
            "\n".join(one for one in known if len(one) in {2, 3} and one.isalpha()) + "\n", encoding="utf-8"
        )
        return file

    def _configure(self) -> None:
        address, port = self._name_server
        said = dict.fromkeys((*_WITHOUT, "worker-controller", "worker-proxy", "worker-fuzzy"), "enabled = false;")
        said |= {
            "options": f'dns {{ nameserver = ["{address}:{port}"]; timeout = 5s; }}\nurl_tld = "{self._suffixes()}";\n'
            f'control_socket = "{self._folder}/control mode=0600";',
            "worker-normal": f'bind_socket = "127.0.0.1:{self._port}"; count = 1;',
            "logging": 'type = "console"; level = "warning";',
        }
        folder = self._folder / "override.d"
        folder.mkdir()
        for name, text in said.items():
            ending = "inc" if name.startswith(("options", "worker", "logging")) else "conf"
            (folder / f"{name}.{ending}").write_text(text + "\n")


def spamassassin(messages: Mapping[str, bytes]) -> dict[str, Score]:
    """Return what SpamAssassin says, asking nobody and remembering nothing. One process, for it starts slowly."""
    command = [program("spamassassin", "Debian's package `spamassassin`"), "--local", "--nocreate-prefs"]
    settings = ("use_bayes 0", "add_header all Points _TESTSSCORES(,)_", "fold_headers 0")
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, str(number)) for number in range(len(messages))]
        for file, data in zip(files, messages.values(), strict=True):
            file.write_bytes(data.replace(b"\r\n", b"\n"))
        command += [f"--cf={setting}" for setting in settings] + [str(file) for file in files]
        environment = {**os.environ, "HOME": name, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=600)
    told = done.stdout.decode(errors="replace")
    points = re.findall(r"^X-Spam-Status: \w+, score=(\S+) ", told, re.MULTILINE)
    rules = [
        {rule: float(count) for rule, _, count in (one.partition("=") for one in line.split(",")) if count}
        for line in re.findall(r"^X-Spam-Points: (.*)$", told, re.MULTILINE)
    ]
    scores = [Score(points=float(one), rules=each) for one, each in zip(points, rules, strict=True)]
    return dict(zip(messages, scores, strict=True))


def node(messages: Mapping[str, bytes], *, keys: Mapping[str, str], timeout_s: float = _ASK_S) -> dict[str, Any]:
    """Return what mailauth says of signatures, and what mailparser reads; `keys` are the DKIM records by name."""
    folder = _installed()
    given = {"keys": dict(keys), "messages": {name: base64.b64encode(one).decode() for name, one in messages.items()}}
    done = subprocess.run(
        [program("node", "Debian's package `nodejs`"), str(HERE / "judge.cjs")],
        input=json.dumps(given).encode(),
        env={**os.environ, "NODE_PATH": str(folder / "node_modules"), "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        check=False,
        timeout=timeout_s,
    )
    if done.returncode:
        raise RuntimeError(f"judge.cjs failed: {done.stderr.decode(errors='replace')}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _installed() -> Path:
    """Return the folder with the packages of package-lock.json, installed once a machine. Raises `MissingError`."""
    npm = program("npm", "Debian's package `npm`")
    lock = HERE / "package-lock.json"
    folder = _CACHE / f"judges-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            for file in (HERE / "package.json", lock):
                shutil.copy(file, folder)
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier"]
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
            if done.returncode:
                raise MissingError(f"npm cannot install {folder}: {done.stderr.decode(errors='replace')[-500:]}")
            (folder / ".complete").touch()
    return folder
