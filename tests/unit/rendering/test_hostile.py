"""Whatever stands in whatever place, the bytes are one sound message that says exactly what was composed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.hostile import forged, places, sources
from tests.sound import assert_sound
from worker.rendering import samples


@settings(max_examples=60, deadline=None)
@given(sources())
def test_no_value_in_any_place_makes_a_mail_unsound(source):
    mail = source.compiled()
    data = mail.fill(source.personal)
    assert_sound(data, mail, source)
    assert source.compiled().fill(source.personal) == data


@settings(max_examples=30, deadline=None)
@given(sources())
def test_no_value_in_any_place_reaches_a_provider_with_a_line_break_or_as_another_field(source):
    mail = source.compiled()
    parts = mail.parts(source.personal)
    for value in (parts.subject, parts.from_name, parts.to_name, *(value for _, value in parts.headers)):
        assert "\r" not in value
        assert value.isprintable() or not value.isascii()
        assert len(value) < 998
    assert parts.subject == mail.subject(source.personal)
    assert (parts.text, parts.html) == (mail.text(source.personal), mail.mailed_html(source.personal))
    assert "\r" not in parts.text + parts.html


def test_a_forged_mail_is_the_same_for_the_same_seed_and_another_for_another():
    assert forged(7) == forged(7)
    assert forged(7).content != forged(7 + len(samples.KINDS) * len(samples.LOCALES)).content


@pytest.mark.parametrize("kind", samples.EDITORIAL)
def test_every_text_of_a_story_is_a_place_for_hostile_words(kind):
    if kind == "retraction":  # tells no story
        return
    names = {place[-1] for place in places(kind, "en")}
    assert {"title", "summary", "url", "source", "author", "section", "lang", "alt", "credit", "note"} <= names
    assert {"name", "recipient", "list_name", "from_name", "postal_address", "from_address", "reply_to"} <= names
