"""The text of TOCSIN_TRANSPORTS: what it means, what is refused, and that no secret ever shows."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports, redact
from worker.adapters.transports.inbox import InboxTransport
from worker.adapters.transports.kinds import KINDS
from worker.adapters.transports.smtp import SmtpTransport
from worker.adapters.transports.spec import Login, Scheme, Timeouts, Tls
from worker.errors import ConfigurationError
from worker.model import Lane


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_transports(text)
    return str(caught.value).splitlines()


def test_every_option_arrives_with_its_type():
    (spec,) = parse_transports(
        "SMTP://us%40er:p%2Fw@Mail.Example.org:2587?tls=required&connections=20&name=relay&weight=3&rate=50"
        "&lanes=alerts,bulk&auth=login&ca=/etc/a%20b+c.pem&hello=news.example.org&connect_s=1&command_s=2&data_s=3"
        "&final_dot_s=4&idle_s=5.5&messages=6"
    )
    assert (spec.scheme, spec.host, spec.port, spec.user, spec.password) == (
        Scheme.SMTP,
        "mail.example.org",
        2587,
        "us@er",
        "p/w",
    )
    assert (spec.tls, spec.connections, spec.name, spec.weight) == (Tls.REQUIRED, 20, "relay", 3)
    assert (spec.rate_per_s, spec.lanes, spec.login) == (50.0, frozenset({Lane.ALERTS, Lane.BULK}), Login.LOGIN)
    assert (spec.ca_file, spec.hello) == (Path("/etc/a b+c.pem"), "news.example.org")
    assert spec.timeouts == Timeouts(connect_s=1, command_s=2, data_s=3, final_dot_s=4)
    assert (spec.idle_s, spec.messages_per_connection) == (5.5, 6)


def test_what_is_not_said_has_its_default():
    relay, implicit = parse_transports("smtp://relay smtps://relay")
    assert (relay.port, relay.tls, relay.name, relay.connections) == (587, Tls.OPPORTUNISTIC, "smtp", 10)
    assert (relay.weight, relay.rate_per_s, relay.lanes) == (1, None, frozenset(Lane))
    assert relay.timeouts.final_dot_s == 600
    assert (implicit.port, implicit.tls, implicit.name) == (465, Tls.REQUIRED, "smtps")


@pytest.mark.parametrize(
    ("dsn", "base_url", "address"),
    [
        ("ses://ID:s%2Fx@eu-west-1", "https://email.eu-west-1.amazonaws.com", "email.eu-west-1.amazonaws.com:443"),
        ("mailgun://k@News.Example.org", "https://api.mailgun.net", "api.mailgun.net:443"),
        ("mailgun://k@news.example.org?region=eu", "https://api.eu.mailgun.net", "api.eu.mailgun.net:443"),
        ("sendgrid://k@default?region=eu", "https://api.eu.sendgrid.com", "api.eu.sendgrid.com:443"),
        ("webhook+https://whsec_aw%3D%3D@h.example/a/b", "https://h.example/a/b", "h.example:443"),
        ("webhook+http://whsec_aw%3D%3D@[::1]:8080/a", "http://[::1]:8080/a", "[::1]:8080"),
    ],
)
def test_where_an_http_provider_is(dsn, base_url, address):
    (spec,) = parse_transports(dsn)
    assert (spec.base_url, spec.address) == (base_url, address)


def test_the_redacted_form_hides_a_webhooks_path():
    (spec,) = parse_transports("webhook+https://whsec_c2VjcmV0@h.example:8443/hidden?keys_s=60&batch=5")
    assert redact(spec) == "webhook+https://***@h.example:8443/***?batch=5&keys_s=60"
    assert "hidden" not in repr(spec)


def test_a_webhook_without_a_secret_of_its_standard_is_refused_at_the_start():
    with pytest.raises(ConfigurationError, match=r"transport webhook: .*whsec_"):
        build(parse_transports("webhook+https://hunter2@h.example/a")[0])


def test_white_space_of_any_kind_separates():
    specs = parse_transports("\n smtp://a?name=a\t\tsmtp://b?name=b\r\n inbox://[::1]:1?maildir=/m ")
    assert [spec.name for spec in specs] == ["a", "b", "inbox"]


@pytest.mark.parametrize("scheme", KINDS)
def test_the_examples_that_people_are_told_to_write_are_right(scheme):
    (spec,) = parse_transports(KINDS[scheme].example)
    assert spec.scheme == scheme
    again = parse_transports(redact(spec))[0]
    assert (again.host, again.port, again.place, again.own) == (spec.host, spec.port, spec.place, spec.own)


def test_what_a_provider_is_allowed_is_read_and_written_alike():
    text = "smtp://host:25?weight=0&rate=0.5&hours=22:30-06:00&warmup=2026-11-28:50x1.5"
    (spec,) = parse_transports(text)
    assert (spec.weight, str(spec.hours), str(spec.warm_up)) == (0, "22:30-06:00", "2026-11-28:50x1.5")
    assert redact(spec) == text


@pytest.mark.parametrize("scheme", KINDS)
def test_a_spec_is_built_into_its_transport(scheme):
    (spec,) = parse_transports(f"{KINDS[scheme].example.replace('name=relay', 'weight=2')}")
    transport = build(spec)
    assert transport.name == scheme.partition("+")[0]
    assert transport.connections == spec.connections
    if scheme in set(Scheme):
        assert type(transport) is (InboxTransport if scheme == Scheme.INBOX else SmtpTransport)


def test_an_http_provider_is_where_it_is_unless_a_stand_in_is_named():
    here, there = parse_transports(
        "postmark://t@default?stream=news resend://k%2Fk@default?base_url=http://127.0.0.1:8080/v9/&ca=/a.pem"
        "&connect_s=1&reply_s=2&idle_s=3&batch=7&connections=8&rate=9&lanes=bulk"
    )
    assert (here.base_url, here.address, here.password) == (
        "https://api.postmarkapp.com",
        "api.postmarkapp.com:443",
        "t",
    )
    assert (here.connections, here.batch, here.own) == (4, 100, {"stream": "news"})
    assert (there.base_url, there.address, there.password) == ("http://127.0.0.1:8080/v9", "127.0.0.1:8080", "k/k")
    assert (there.timeouts.connect_s, there.timeouts.reply_s, there.idle_s) == (1, 2, 3)
    assert (there.batch, there.connections, there.rate_per_s, there.lanes) == (7, 8, 9, frozenset({Lane.BULK}))


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("mail.example.org:587", "write one such as smtp://"),
        ("ftp://host", "write one of smtp, smtps, inbox"),
        ("resend://@default", "write the key alone before the @: resend://KEY@default"),
        ("resend://KEY:SECRET@default", "write the key alone"),
        ("resend://KEY@default:443", "write after the @ what the example has"),
        ("resend://KEY@elsewhere", "write after the @ what the example has"),
        ("resend://KEY@default?tls=off", "option 1 is not known to resend"),
        ("resend://KEY@default?batch=101", "a whole number from 1 to 100: batch=100"),
        ("resend://KEY@default?base_url=http://api.example.org", "http:// on this machine only"),
        ("resend://KEY@default?base_url=https://api.example.org?a", "an https:// address"),
        ("resend://KEY@default?base_url=api.example.org", "an https:// address"),
        ("ses://KEY@eu-west-1", "write both halves of the key before the @: ses://KEY_ID:SECRET@eu-west-1"),
        ("ses://KEY:SECRET@ireland", "write after the @ what the example has"),
        ("mailgun://KEY@default", "write after the @ what the example has"),
        ("mailgun://KEY@news.example.org?region=mars", "write region as us or eu"),
        ("webhook+http://whsec_c2VjcmV0@mail.example.org/send", "write 127.0.0.1"),
        ("webhook+https://mail.example.org/send", "write the key alone before the @"),
        ("webhook+https://whsec_c2VjcmV0@mail.example.org:0/send", "write a port"),
        ("webhook+https://whsec_c2VjcmV0@mail.example.org?base_url=https://a", "is not known to webhook+https"),
        ("postmark://TOKEN@default?stream=a%20b", "write stream as in stream=broadcast"),
        ("smtp://host?batch=5", "option 1 is not known to smtp"),
        ("smtp://host?base_url=https://a.example", "option 1 is not known to smtp"),
        ("smtp://", "write a host name"),
        ("smtp://:587", "write a host name"),
        ("smtp://host:port", "write a port"),
        ("smtp://host:0", "write a port"),
        ("smtp://host:99999", "write a port"),
        ("smtp://user@host", "needs its password"),
        ("smtp://:password@host", "needs its user name"),
        ("smtp://user:pass/word@host", "write / as %2F"),
        ("smtp://user:pass?word@host", "? as %3F"),
        ("smtp://user:pass#word@host", "# as %23"),
        ("smtp://user:pass[word@host", "write %5B"),
        ("smtp://host?tls=maybe", "off, opportunistic or required: tls=required"),
        ("smtp://host?tls", "tls=required"),
        ("smtp://host?connections=0", "a whole number from 1 to 1000: connections=20"),
        ("smtp://host?connections=1.5", "connections=20"),
        ("smtp://host?connections=2&connections=3", "write connections only once"),
        ("smtp://host?rate=0", "rate=50"),
        ("smtp://host?rate=nan", "rate=50"),
        ("smtp://host?weight=-1", "0 to stand by: weight=2"),
        ("smtp://host?hours=7-22", "hours=07-22:30"),
        ("smtp://host?warmup=2026-11-28:50", "warmup=2026-11-28:50x1.5"),
        ("smtp://host?lanes=alerts,letters", "alerts, bulk, control: lanes=alerts,bulk"),
        ("smtp://host?lanes=", "lanes=alerts,bulk"),
        ("smtp://host?name=a%20b", "name=relay"),
        (
            "smtp://host?conections=5",
            "write one of name, weight, rate, hours, warmup, lanes, connections, prepared, tls",
        ),
        ("smtp://host?maildir=/m", "option 1 is not known to smtp"),
        ("smtps://host?tls=off", "option 1 is not known to smtps"),
        ("smtp://host?ca=relative.pem", "ca=/etc"),
        ("inbox://127.0.0.1", "inbox needs a maildir"),
        ("inbox://127.0.0.1?maildir=inbox", "the full path"),
        ("inbox://mail.example.org?maildir=/m", "write 127.0.0.1"),
        ("inbox://user:password@127.0.0.1?maildir=/m", "takes no user name"),
    ],
)
def test_a_wrong_dsn_says_what_to_write_instead(dsn, words):
    (problem,) = problems_of(dsn)
    assert problem.startswith("transport 1: ")
    assert words in problem


def test_all_problems_of_all_dsns_are_told_at_once():
    problems = problems_of("smtp://host:x?tls=no&rate=fast resend://k smtp://fine inbox://127.0.0.1")
    numbers = [problem.partition(":")[0].removeprefix("transport ") for problem in problems]
    assert numbers == ["1", "1", "1", "2", "2", "4"]


def test_two_transports_may_not_share_a_name():
    (problem,) = problems_of("smtp://a smtp://b")
    assert "2 transports are called smtp" in problem
    assert "name=smtp-2" in problem


@pytest.mark.parametrize("text", ["", " \n "])
def test_no_transport_at_all_is_a_problem(text):
    (problem,) = problems_of(text)
    assert "at least one" in problem


def test_the_redacted_form_hides_a_user_name_that_is_a_token_too():
    (spec,) = parse_transports("smtp://t0ken:t0ken@smtp.example.org?messages=7&ca=/a%26b.pem")
    assert redact(spec) == "smtp://***:***@smtp.example.org:587?ca=/a%26b.pem&messages=7"


anything = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(user=anything.filter(bool), tail=anything)
def test_any_secret_is_read_back_and_never_shown(user, tail):
    password = f"hunter22{tail}"
    assume("hunter22" not in user)
    (spec,) = parse_transports(f"smtp://{quote(user, safe='')}:{quote(password, safe='')}@[::1]:25?lanes=bulk&rate=0.5")
    assert (spec.user, spec.password) == (user, password)
    assert "hunter22" not in redact(spec) + repr(spec)
    again = parse_transports(redact(spec))[0]
    assert (again.address, again.lanes, again.rate_per_s) == (spec.address, spec.lanes, spec.rate_per_s)


@settings(deadline=None)
@given(
    junk=anything,
    secret=st.sampled_from(["hunter22", "s3cr3t-value"]),
    form=st.sampled_from(["smtp://user:{}@host:587?tls=x&", "resend://{}@default?batch=x&", "resend://{}"]),
)
def test_a_mistyped_dsn_never_shows_its_secret(junk, secret, form):
    text = form.format(f"{junk}{secret}{junk}") + junk
    shown: list[str] = []
    try:
        shown += [redact(spec) + repr(spec) for spec in parse_transports(text)]
    except ConfigurationError as error:
        shown += [str(error), repr(error.__cause__), repr(error.__context__)]
    assert all(secret not in text for text in shown)
