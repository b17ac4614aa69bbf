"""`/img/{token}` and whoever shows pictures from there: nobody but this house learns who looks."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from tests import builders
from tests.contract.pictures.samples import png
from worker.content import Image
from worker.delivery.run_withdrawal import withdraw
from worker.model import ArticleId, Picture
from worker.pictures import number_of
from worker.store import articles
from worker.store.schema import Article
from worker.tokens import Purpose

from .issues import send_issue

PICTURE = png()


@pytest.fixture
def camera() -> Iterator[str]:
    """A server of pictures, which keeps what it was asked."""

    class Camera(BaseHTTPRequestHandler):
        asked: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012  one test's

        def do_GET(self) -> None:
            self.asked.append((self.path, dict(self.headers)))
            self.send_response(200 if self.path.endswith(".png") else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PICTURE)))
            self.send_header("Set-Cookie", "id=1")
            self.end_headers()
            self.wfile.write(PICTURE)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxied(open_newspaper):
    return open_newspaper(image_proxy="on", allow_private=True, base_url="https://news.courier.example")


def stored(newspaper, url: str) -> ArticleId:
    """Store an article with a picture, past intake, which refuses pictures on this machine."""
    with newspaper.house.database.write() as conn:
        article_id, _ = builders.article(conn, image=Picture(url=url, alt="A quay"))
    return article_id


def path_of(newspaper, url: str) -> str:
    """Return the path of a picture of any address, also of one on this machine, which mails never show."""
    return f"/img/{newspaper.house.tokens.sign(Purpose.IMAGE, number_of(url))}"


def test_a_picture_is_the_same_for_every_reader_and_may_be_kept_by_all_caches(proxied, camera):
    stored(proxied, f"{camera}/quay.png")
    path = path_of(proxied, f"{camera}/quay.png")
    assert len(path) < 70
    answer = proxied.get(path, headers={"Cookie": "reader=7", "Referer": "https://webmail.example/inbox/7"})
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=2592000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "set-cookie" not in answer.headers
    again = proxied.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert proxied.client.head(proxied.url + path).headers["content-length"] == str(len(PICTURE))


def test_what_cannot_be_had_is_missing_for_a_short_while(proxied, camera):
    stored(proxied, f"{camera}/none.gif")
    tokens = proxied.house.tokens
    for path in (
        path_of(proxied, f"{camera}/none.gif"),
        path_of(proxied, "https://img.courier.example/never-stored.png"),
        "/img/0.1.forged",
        f"/img/{tokens.sign(Purpose.VIEW, 7)}",
    ):
        answer = proxied.get(path)
        assert (answer.status_code, answer.content) == (404, b"")
        assert answer.headers["cache-control"] == "public, max-age=300"


def test_a_stopped_storys_picture_is_gone_from_mails_that_were_sent(proxied, camera):
    article_id = stored(proxied, f"{camera}/quay.png")
    path = path_of(proxied, f"{camera}/quay.png")
    assert proxied.get(path).status_code == 200
    withdraw(proxied.house.database, article_id, actor="test")
    assert proxied.get(path).status_code == 404


def test_the_proxy_is_off_by_default_and_fetches_nothing(open_newspaper, camera):
    house = open_newspaper(allow_private=True)
    stored(house, f"{camera}/quay.png")
    assert house.house.picture_address(Image(url="https://img.courier.example/a.png")) == (
        "https://img.courier.example/a.png"
    )
    assert house.house.picture_address(Image(url="http://img.courier.example/a.png")) == ""
    assert house.house.page_picture_address(Image(url="https://img.courier.example/a.png")) == ""
    token = house.house.tokens.sign(Purpose.IMAGE, 7)
    assert house.get(f"/img/{token}").status_code == 404


def test_only_a_picture_on_the_web_gets_an_address_of_ours(proxied):
    for url in ("http://img.courier.example/a.png", "https://img.courier.example/a.png"):
        assert proxied.house.picture_address(Image(url=url)).startswith("https://news.courier.example/img/")
    for url in ("data:image/png;base64,AA", "https://10.0.0.1/a.png", "https://a.example/a.svg", ""):
        assert proxied.house.picture_address(Image(url=url)) == ""


@pytest.mark.parametrize(("switch", "shown"), [("on", 1), ("off", 0)])
def test_the_archive_shows_a_picture_only_from_here(open_newspaper, switch, shown):
    newspaper = open_newspaper(image_proxy=switch)
    quay = Picture(url="https://img.courier.example/a.png", alt="A <quay>", credit="Mari", width=640, height=400)
    send_issue_with(newspaper, quay)
    [issue] = re.findall(r'<a href="(/editions/[0-9a-f]{24})">', newspaper.get("/newsletters/top-10").text)
    page = newspaper.get(issue).text
    pictures = re.findall(r'<figure class="shot"><img src="([^"]*)" alt="A &lt;quay&gt;"', page)
    assert len(pictures) == shown
    assert all(urlsplit(address).path.startswith("/img/") for address in pictures)
    assert "img.courier.example" not in page


def send_issue_with(newspaper, picture: Picture) -> None:
    news = builders.news

    def pictured(conn, *topics, title, **values):
        story = news(conn, *topics, title=title, **values)
        if title == "Anchors":
            article_id = conn.execute(sa.select(Article.id).where(Article.story_id == story)).scalar_one()
            articles.set_image(conn, article_id, picture, revision=1)
        return story

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(builders, "news", pictured)
        send_issue(newspaper.house)
