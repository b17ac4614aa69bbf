"""What goes wrong on the wire, what must not come through it, and which secrets sign. On SQLite: it is quick."""

from __future__ import annotations

import http.server
import socket
import threading

import pytest
from standardwebhooks import WebhookVerificationError

from worker.errors import InputError
from worker.notifying import run_endpoints
from worker.store import outbox
from worker.tidings import Tiding

ACTOR = "a test"


@pytest.fixture
def database_url(make_url):
    return make_url("sqlite")


@pytest.fixture
def tells(house, readers):
    """Put so many messages about one reader into the outbox."""
    reader_id = readers.joins("jo@example.org", "oman")

    def tell(count=1):
        with house.database.write() as conn:
            for _ in range(count):
                outbox.tell(conn, Tiding.CONFIRMED, reader_id)

    return tell


def test_nobody_there_is_no_success(house, tells):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house.adds(url=f"http://127.0.0.1:{port}/")
    tells()
    house.sweeps()
    (row,) = house.messages()
    assert (row.state, row.code) == ("pending", None)
    assert row.error


def test_one_that_never_answers_is_given_up_in_time(house, tells):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        house.adds(url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        tells()
        notifier = house.notifier(timeout_s=0.3)
        notifier.sweep()
        assert notifier.wait(30)
    assert house.messages()[0].error == "no answer within 0.3 s"


def test_a_long_answer_is_cut_off_and_counts(house, tells):
    house.adds()
    house.receiver.otherwise, house.receiver.body = 200, b"x" * 5_000_000
    tells(2)
    house.sweeps()
    assert house.states() == ["delivered"] * 2


def test_what_an_endpoint_says_is_kept_nowhere(house, tells):
    house.adds()
    house.receiver.otherwise, house.receiver.body = 500, b"no such customer: jo@example.org"
    tells()
    house.sweeps()
    (row,) = house.messages()
    assert row.error == house.endpoint().last_error == "it answered 500"


def test_a_name_that_leads_into_the_house_is_not_connected_to(house, tells):
    """`localhost` is public in no network; the guard looks at the address that it connects to, at every try."""
    port = house.receiver.url.rpartition(":")[2].partition("/")[0]
    house.adds(url=f"https://localhost:{port}/hook", allow_private=False)
    tells()
    house.sweeps()
    (row,) = house.messages()
    assert "not on the public internet" in row.error
    assert house.receiver.posts == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]"]
)
def test_a_number_on_no_public_network_is_refused_at_once(house, host):
    with pytest.raises(InputError, match="not on the public internet"):
        house.adds(url=f"https://{host}/hook", allow_private=False)


def test_an_answer_that_is_no_http_is_a_failure(house, tells):
    class Nonsense(http.server.BaseHTTPRequestHandler):
        def handle(self):
            self.rfile.readline()
            self.wfile.write(b"220 mail.example.org ESMTP\r\n")

    with http.server.HTTPServer(("127.0.0.1", 0), Nonsense) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        house.adds(url=f"http://127.0.0.1:{server.server_address[1]}/")
        tells()
        house.sweeps()
        server.shutdown()
        thread.join()
    assert house.states() == ["pending"]
    assert house.messages()[0].code is None


def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone(house, tells):
    endpoint, old = house.adds()
    new = run_endpoints.rotate(house.database, endpoint.id, actor=ACTOR)
    tells()
    house.sweeps()
    (post,) = house.receiver.posts
    assert post.verified(old) == post.verified(new)
    house.passes(hours=24, minutes=1)
    tells()
    house.sweeps()
    last = house.receiver.posts[-1]
    assert last.verified(new)
    with pytest.raises(WebhookVerificationError):
        last.verified(old)


def test_a_secret_that_others_know_signs_nothing_any_more(house, tells):
    endpoint, old = house.adds()
    new = run_endpoints.rotate(house.database, endpoint.id, at_once=True, actor=ACTOR)
    tells()
    house.sweeps()
    (post,) = house.receiver.posts
    assert post.verified(new)
    with pytest.raises(WebhookVerificationError):
        post.verified(old)
