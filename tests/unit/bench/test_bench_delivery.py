"""The delivery benchmark's own arithmetic and page, on figures that are made up."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

from tests.bench.delivery import letter
from tests.bench.delivery.__main__ import read_arguments
from tests.bench.delivery.growth import Growth
from tests.bench.delivery.house import Told
from tests.bench.delivery.report import Run, Speed, markdown
from tests.bench.delivery.turns import Entry, Rates, take_turns
from worker.model import StoryId


class Steady:
    """Sends a thousand a second."""

    def send(self, count: int, *, connections: int, port: int) -> float:
        return count / 1_000 + 0.0 * (connections + port)


def test_everybody_warms_up_and_then_sends_once_a_round() -> None:
    said: list[str] = []
    entry = Entry(peer=Steady(), count=200, connections=10, port=1)
    rates = take_turns({"one": entry, "other": entry}, rounds=3, say=said.append)
    assert [len(found) for found in rates.by_name.values()] == [3, 3]
    assert rates.ratio("one", "other") == 1
    assert len(said) == 3


def test_the_page_says_of_each_goal_whether_it_was_reached() -> None:
    rates = Rates({"smtp-source": [100.0, 110.0], "tocsin, unsigned": [120.0, 121.0]})
    goals = [("tocsin, unsigned", "smtp-source", 1.0), ("tocsin, unsigned", "smtp-source", 2.0)]
    speed = Speed(title="Into a sink", says="All of them.", rates=rates, cpu_us={"tocsin, unsigned": 99.6}, goals=goals)
    sizes = [Growth(recipients=size, rate=rate, memory=[90_000_000] * 11) for size, rate in ((10, 5.0), (1_000, 4.0))]
    house = Told(kind="SQLite", bulk=1_000, bulk_rate=3.0, alerted=10, idle_s=[2.0, 4.0], busy_s=[3.0, 4.0])
    run = Run(size=25, command="make it", versions=["V 1"], speeds=[speed], growth={"SQLite": sizes}, houses=[house])
    page = markdown(run)
    assert "| tocsin, unsigned / smtp-source | **1.15** | 1 | yes |" in page
    assert "| tocsin, unsigned / smtp-source | **1.15** | 2 | no |" in page
    assert "| tocsin, unsigned | 120 | 100 | 1.15 | 1.10 to 1.20 |" in page
    assert "SQLite: at 1,000 recipients **0.80** of the speed at 10." in page
    assert "| SQLite | 3 | 3.0 | 3.5 | 1,000 | **1.25** |" in page


def test_the_digest_has_ten_stories_of_a_fixed_wording() -> None:
    assert letter.content(StoryId(1)) == letter.content(StoryId(1))
    assert sum(len(section.cards) for section in letter.content(StoryId(1)).sections) == letter.STORIES


def test_peers_get_the_very_bytes_and_the_parts_with_holes(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["List-Unsubscribe"] = "Ten stories", "<https://courier.example/u/1>"
    mail.set_content(f"Hello {letter.READER}, {letter.RECIPIENT}")
    mail.add_alternative(f"<p>{letter.READER}</p>", subtype="html")
    wire = mail.as_bytes().replace(b"\n", b"\r\n")
    kept = letter.keep(wire, tmp_path)
    assert kept.wire.read_bytes() == wire
    assert message_from_bytes(kept.unix.read_bytes())["Subject"] == "Ten stories"
    assert "Hello {{ name }}, {{ mail }}" in kept.parts.read_text()


def test_a_full_run_has_a_million_recipients() -> None:
    assert read_arguments([]).sizes == [10_000, 100_000]
    assert read_arguments(["--full"]).sizes[-1] == read_arguments(["--full"]).bulk == 1_000_000
