"""Lucene Monitor, made ready: jars from Debian, the monitor module compiled from Debian's source, our bench program.

Debian's package has no jar of the monitor. Its source is fetched through a copy of the machine's own apt sources with
`deb-src` switched on, in a scratch folder: the machine's configuration is read and never touched, nothing is installed.
Everything is kept, so that the second run only starts it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.bench.matching.side import Side
from tests.bench.matching.workload import Workload

_OURS: Final = Path(__file__).parent / "lucene"
_JARS: Final = ("core", "memory", "analyzers-common", "queries")
_TOOLS: Final = {"java": "default-jdk-headless", "javac": "default-jdk-headless", "apt-get": "apt", "dpkg-deb": "dpkg"}
_SOURCES: Final = Path("/etc/apt")


class PeerError(Exception):
    """The peer cannot be had here; the message says what to do."""


def prepare(scratch: Path) -> str:
    """Return the class path of the compiled peer, from what is there already or fetched anew."""
    if missing := sorted({package for tool, package in _TOOLS.items() if not shutil.which(tool)}):
        raise PeerError(f"the peer needs {', '.join(missing)}: apt-get install {' '.join(missing)}")
    jars = scratch / "jars"
    if not (jars / "complete").exists():
        _fetch(scratch, jars)
    classes = scratch / "classes"
    path = ":".join(map(str, sorted(jars.glob("*.jar"))))
    monitor = sorted((scratch / "source").rglob("*.java"))
    program = sorted(_OURS.glob("*.java"))
    stamp = classes / "complete"
    if not stamp.exists() or stamp.stat().st_mtime < max(file.stat().st_mtime for file in program):
        _run(["javac", "-nowarn", "-d", str(classes), "-cp", path, *map(str, [*monitor, *program])])
        stamp.touch()
    return f"{classes}:{path}"


def start(class_path: str, workload: Workload) -> Side:
    """Start the peer over a workload's articles; see `MonitorBench.java` for its requests."""
    options = ["-Xmx8g", "-XX:+UseSerialGC", "-XX:ActiveProcessorCount=1"]
    return Side(["java", *options, "-cp", class_path, "MonitorBench", str(workload.peer[0]), str(workload.measured)])


def _fetch(scratch: Path, jars: Path) -> None:
    downloads = scratch / "downloads"
    for folder in (jars, downloads):
        folder.mkdir(parents=True, exist_ok=True)
    apt = {"APT_CONFIG": str(_apt_configuration(scratch / "apt"))}
    _run(["apt-get", "update", "-q=2"], environment=apt)
    _run(["apt-get", "download", "-q=2", "liblucene8-java"], folder=downloads, environment=apt)
    _run(["apt-get", "source", "-q=2", "--download-only", "--tar-only", "lucene8"], folder=downloads, environment=apt)
    _run(["dpkg-deb", "--extract", str(next(downloads.glob("liblucene8-java_*.deb"))), str(scratch / "package")])
    for name in _JARS:
        shutil.copy(next((scratch / "package/usr/share/java").glob(f"lucene-{name}-[0-9]*.jar")), jars)
    with tarfile.open(next(downloads.glob("lucene8_*.orig.tar.*"))) as archive:
        members = [member for member in archive if re.search(r"^[^/]+/monitor/src/java/.*\.java$", member.name)]
        archive.extractall(scratch / "source", members, filter="data")
    (jars / "complete").touch()


def _apt_configuration(folder: Path) -> Path:
    """Write a configuration of our own that reads the machine's sources, `deb-src` included."""
    parts = folder / "sources"
    for needed in (parts, folder / "lists/partial", folder / "cache/archives/partial"):
        needed.mkdir(parents=True, exist_ok=True)
    for file in [_SOURCES / "sources.list", *(_SOURCES / "sources.list.d").glob("*")]:
        if file.suffix == ".sources":
            (parts / file.name).write_text(re.sub(r"(?m)^Types:.*", "Types: deb deb-src", file.read_text()))
        elif file.suffix == ".list" and file.exists():
            lines = re.findall(r"(?m)^deb\s.*", file.read_text())
            (parts / file.name).write_text("".join(f"{line}\ndeb-src{line[3:]}\n" for line in lines))
    written = folder / "apt.conf"
    written.write_text(
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{parts}";\nDir::State::lists "{folder}/lists";\n'
        f'Dir::Cache "{folder}/cache";\nAPT::Sandbox::User "";\n'
    )
    return written


def _run(command: Sequence[str], *, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
    variables = {**os.environ, **(environment or {})}
    ran = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if ran.returncode:
        reason = (ran.stderr or ran.stdout).strip()[-1_000:]
        raise PeerError(f"{' '.join(command[:3])} failed, so there is no peer:\n{reason}")
