"""The catalogues against the sources: templates/locales/README.md has the one command that makes these tests pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from worker.resources import templates_dir

LOCALES = templates_dir() / "locales"
ROOT = Path(__file__).parents[3]
TAGS = sorted(file.parent.parent.name for file in LOCALES.glob("*/LC_MESSAGES/messages.po"))
EACH = pytest.mark.parametrize("tag", TAGS)


@pytest.fixture(scope="module")
def sources():
    with (LOCALES / "babel.cfg").open() as config:
        methods, options = parse_mapping_cfg(config)
    return {message for _, _, message, *_ in extract_from_dir(ROOT, methods, options)}


def catalogue(tag) -> Catalog:
    with (LOCALES / tag / "LC_MESSAGES" / "messages.po").open("rb") as stream:
        return read_po(stream, locale=tag, abort_invalid=True)


def sentences(tag):
    return [message for message in catalogue(tag) if message.id]


@EACH
def test_a_catalogue_has_every_sentence_of_the_sources_and_no_other(sources, tag):
    assert {message.id for message in sentences(tag)} == sources


@EACH
def test_no_sentence_waits_for_a_translator(tag):
    assert [message.id for message in sentences(tag) if message.fuzzy] == []
    assert [message.id for message in sentences(tag) if tag != "en" and not all(_strings(message.string))] == []


@EACH
def test_a_translation_has_the_placeholders_of_its_sentence(tag):
    for message in sentences(tag):
        wanted = set(_placeholders(" ".join(_strings(message.id))))
        assert all(set(_placeholders(string)) == wanted for string in _strings(message.string) if string)


def test_english_and_korean_are_there():
    assert {"en", "ko"} <= set(TAGS)


def _strings(string):
    return [string] if isinstance(string, str) else list(string)


def _placeholders(string):
    return re.findall(r"%\(\w+\)[sd]", string)
