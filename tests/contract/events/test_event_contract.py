"""What every provider's event parser keeps to, whatever its words and however it proves where they come from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.adapters.events.build import PROVIDERS, build_parsers, read_keys
from worker.errors import ConfigurationError, InputError, UnprovenError
from worker.hearsay import FeedbackEvent

from .speakers import NOW, SPEAKERS, Speaker, samples

SIGNING = [speaker for speaker in SPEAKERS.values() if speaker.signs_time]
SAMPLES = [(speaker, sample) for speaker in SPEAKERS.values() for sample in samples(speaker.name)]


@pytest.fixture(params=list(SPEAKERS.values()), ids=list(SPEAKERS))
def speaker(request) -> Speaker:
    found: Speaker = request.param
    return found


def first(speaker: Speaker) -> dict[str, Any]:
    found: dict[str, Any] = samples(speaker.name)[0]["says"]
    return found


def heard(speaker: Speaker, *items: dict[str, Any]) -> list[FeedbackEvent]:
    """Return what is made of items that come one by one, or in batches where the provider has such."""
    parser, told = speaker.parser(), []
    for start in range(0, len(items), speaker.most_items):
        opened = parser.open(speaker.post(*items[start : start + speaker.most_items]))
        told += [event for raw in opened.items for event in parser.read(raw, received_at=NOW)]
    return told


def facts(event: FeedbackEvent) -> dict[str, Any]:
    return dataclasses.asdict(event) | {"occurred_at": event.occurred_at.isoformat()}


# Words ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("speaker", "sample"), SAMPLES, ids=[f"{speaker.name}: {sample['name']}" for speaker, sample in SAMPLES]
)
def test_a_providers_words_become_ours(speaker, sample):
    made = [facts(event) for event in heard(speaker, sample["says"])]
    assert len(made) == len(sample["means"])
    for found, wanted in zip(made, sample["means"], strict=True):
        assert {name: found[name] for name in wanted} == wanted
        assert found["provider"] == speaker.name
        assert found["event_id"]


def test_the_samples_say_what_they_were_made_after(speaker):
    from .speakers import PAYLOADS

    told = json.loads((PAYLOADS / f"{speaker.name}.json").read_text())
    assert told["pages"]
    assert told["date"] == "2026-11-28"


def test_a_batch_says_the_same_as_its_items_one_by_one(speaker):
    items = [sample["says"] for sample in samples(speaker.name)]
    single = [event for item in items for event in heard(speaker, item)]
    assert heard(speaker, *items) == single


def test_what_is_said_again_has_the_same_id_and_nothing_else_has_it(speaker):
    items = [sample["says"] for sample in samples(speaker.name)]
    parser = speaker.parser()
    raws = [raw for item in items for raw in parser.open(speaker.post(item)).items]
    again = [parser.read(raw, received_at=NOW + timedelta(days=400)) for raw in raws]
    ids = [event.event_id for raw in raws for event in parser.read(raw, received_at=NOW)]
    assert [event.event_id for events in again for event in events] == ids
    assert len(set(ids)) == len(ids)


def test_an_unknown_kind_is_kept_as_unknown_beside_known_ones(speaker):
    strange: dict[str, Any] = {name: "strange" for name, value in first(speaker).items() if isinstance(value, str)}
    events = heard(speaker, first(speaker), strange, {}, first(speaker))
    assert [event.kind for event in events[1:3]] == ["unknown", "unknown"]
    assert events[0].kind == events[3].kind != "unknown"


def test_fields_that_are_missing_or_of_another_type_are_no_defect(speaker):
    for broken in broken_items([sample["says"] for sample in samples(speaker.name)]):
        for event in heard(speaker, broken):
            assert isinstance(event.kind, str)
            assert event.event_id is not None


STRANGE: tuple[object, ...] = (None, [], {}, 7, "x", -1e300, ["x", {}], "\u0000\ud800", True)


def broken_items(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield items that lack a field, or have something else in its place, at any depth."""
    for item in items:
        for path in paths(item):
            for replaced in STRANGE:
                yield with_value(item, path, replaced)
            yield with_value(item, path, ...)


def paths(item: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in item.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in paths(value))


def with_value(item: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    name, *rest = path
    if rest:
        return {**item, name: with_value(item[name], tuple(rest), value)}
    return {key: held for key, held in item.items() if key != name} | ({} if value is ... else {name: value})


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
@given(item=st.dictionaries(st.text(max_size=12), JSONS, max_size=5))
@thorough(few=20, many=60)
def test_any_object_at_all_can_be_read(speaker, item):
    parser = speaker.parser()
    for event in parser.read(json.dumps(item), received_at=NOW):
        assert event.provider == speaker.name
        facts(event)["reason"].encode()


def test_no_event_lies_in_the_future(speaker):
    item = json.loads(json.dumps(first(speaker)).replace("2026-11-28", "2036-11-28").replace("17958", "27958"))
    assert all(event.occurred_at <= NOW for event in heard(speaker, item))


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00", -62135596800, 0, "0"])
def test_a_date_that_was_never_filled_in_is_none(never):
    """.NET writes its first moment, others the epoch; a window before such a time is out of all calendars."""
    for name, field in (("postmark", "BouncedAt"), ("brevo", "ts_epoch"), ("webhook", "occurred_at")):
        item = {**samples(name)[0]["says"], field: never, "DeliveredAt": ""}
        (event,) = SPEAKERS[name].parser().read(json.dumps(item), received_at=NOW)
        assert event.occurred_at == NOW


# Proofs --------------------------------------------------------------------------------------------------------------


def test_either_key_opens_during_a_rotation_and_no_other(speaker):
    parser = speaker.parser()
    for key in speaker.keys:
        assert parser.open(speaker.post(first(speaker), key=key)).items
    with pytest.raises(UnprovenError):
        parser.open(speaker.post(first(speaker), key=speaker.stranger))
    with pytest.raises(UnprovenError):
        speaker.parser(speaker.keys[0]).open(speaker.post(first(speaker), key=speaker.keys[1]))


def test_a_request_without_any_proof_is_refused(speaker):
    post = speaker.post(first(speaker))
    bare = {name: value for name, value in post.headers.items() if "signature" not in name and name != "authorization"}
    body = json.dumps({"event-data": first(speaker)} if speaker.name == "mailgun" else first(speaker)).encode()
    with pytest.raises(UnprovenError):
        speaker.parser().open(dataclasses.replace(post, headers=bare, body=body))


@pytest.mark.parametrize("speaker", [one for one in SPEAKERS.values() if one.signs_body], ids=lambda one: one.name)
def test_a_body_that_was_tampered_with_is_refused(speaker):
    post = speaker.post(first(speaker))
    for tampered in (post.body.replace(b"jo@", b"al@"), post.body + b" ", post.body.replace(b"12", b"13", 1)):
        assert tampered != post.body
        if speaker.name == "ses" and json.loads(tampered) == json.loads(post.body):
            continue  # SNS signs values, not bytes
        with pytest.raises(UnprovenError):
            speaker.parser().open(dataclasses.replace(post, body=tampered))


@pytest.mark.parametrize("speaker", SIGNING, ids=lambda one: one.name)
def test_what_was_signed_too_long_ago_is_refused(speaker):
    parser, most = speaker.parser(), speaker.most_age
    for age in (timedelta(0), most - timedelta(seconds=5), -most + timedelta(seconds=5)):
        if age >= timedelta(0) or speaker.name != "ses":
            assert parser.open(speaker.post(first(speaker), at=NOW - age)).items
    with pytest.raises(UnprovenError, match="minutes ago"):
        parser.open(speaker.post(first(speaker), at=NOW - most - timedelta(seconds=5)))


@pytest.mark.parametrize("speaker", SIGNING, ids=lambda one: one.name)
def test_a_time_that_is_none_is_refused(speaker):
    post = speaker.post(first(speaker), at=datetime(1970, 1, 1, tzinfo=UTC))
    with pytest.raises(UnprovenError):
        speaker.parser().open(post)
    for name in [name for name in post.headers if name.endswith("timestamp")]:
        for nonsense in ("", "now", "1e999", "nan", "-"):
            broken = {**speaker.post(first(speaker)).headers, name: nonsense}
            with pytest.raises(UnprovenError):
                speaker.parser().open(dataclasses.replace(post, headers=broken))


def test_only_a_signature_that_leaves_the_body_out_is_good_for_one_use(speaker):
    opened = speaker.parser().open(speaker.post(first(speaker)))
    assert bool(opened.once) is (speaker.name == "mailgun")


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"\xff\xfe", b"[1, 2]", b'"x"', b"null", b"[" * 50_000, b"9" * 9_000]
)
def test_a_body_that_is_no_providers_is_never_a_defect(speaker, body):
    post = dataclasses.replace(speaker.post(first(speaker)), body=body)
    with pytest.raises((UnprovenError, InputError)):
        speaker.parser().open(post)


def test_a_huge_batch_is_read_item_by_item(speaker):
    items = [dict(first(speaker), filler=number) for number in range(min(speaker.most_items, 1_000))]
    assert len(speaker.parser().open(speaker.post(*items)).items) == len(items)


def test_no_key_is_shown_by_accident(speaker):
    if speaker.name != "ses":  # a topic's name is no secret
        assert not any(key in repr(speaker.parser()) for key in speaker.keys)
    post = speaker.post(first(speaker))
    assert "jo@" not in repr(post)


# Keys as an operator writes them -------------------------------------------------------------------------------------


def test_a_provider_that_signs_is_listened_to_only_with_its_key(speaker):
    named = {"postmark", "brevo"}
    assert set(build_parsers({})) == named
    given = " ".join(f"{speaker.name}={key}" for key in speaker.keys)
    found = build_parsers(read_keys(given))
    assert set(found) == named | {speaker.name}
    if speaker.name != "ses":  # there, a real certificate would be fetched
        assert found[speaker.name].open(speaker.post(first(speaker), key=speaker.keys[1])).items


@pytest.mark.parametrize(
    "keys",
    [
        "mailgun",
        "mailgun=",
        "=key",
        "nobody=key",
        "resend=whsec_not-base64!",
        "webhook=äöü",
        "sendgrid=MFkw",
        "sendgrid=!!",
        "ses=my-topic",
        "postmark=a:b mailgun",
    ],
)
def test_a_key_that_cannot_be_right_is_refused_with_its_provider_and_without_itself(keys):
    with pytest.raises(ConfigurationError, match="TOCSIN_WEBHOOK_KEYS") as caught:
        build_parsers(read_keys(keys))
    key = keys.partition("=")[2]
    assert len(key) < 5 or key not in str(caught.value)


def test_every_provider_has_its_samples():
    assert set(SPEAKERS) == set(PROVIDERS)
