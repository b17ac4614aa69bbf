"""A theme over the readers' pages: templates, sentences, static files, and the box's script."""

from __future__ import annotations

import pytest

from worker.errors import ConfigurationError
from worker.resources import templates_dir
from worker.web.app import create_app

PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        file = tmp_path / "home" / "theme" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return put


def test_a_theme_stands_over_pages_sentences_and_static_files(open_newspaper, write):
    write(
        "pages/topics.html.j2",
        '{% extends "tocsin/pages/topics.html.j2" %}{% block main %}<p>Ours first.</p>{{ super() }}{% endblock %}',
    )
    write("pages/static/style.css", "body { color: red; }")
    write("pages/static/extra.txt", "extra")
    write("locales/de/LC_MESSAGES/messages.po", PO + 'msgid "Topics"\nmsgstr "Themen"\n')
    write("pages/embed.js", "// a script of our own")
    newspaper = open_newspaper(theme="theme")  # within the home
    assert "<p>Ours first.</p>" in newspaper.get("/topics").text
    german = newspaper.get("/topics?lang=de").text
    assert '<html lang="de"' in german
    assert ">Themen</a>" in german
    assert newspaper.get("/static/style.css").text == "body { color: red; }"
    assert newspaper.get("/static/extra.txt").text == "extra"
    assert newspaper.get("/static/page.js").text == (templates_dir() / "pages/static/page.js").read_text()
    assert newspaper.get("/embed.js").text.endswith("// a script of our own")
    assert newspaper.get("/static/../topics.html.j2").status_code == 404


def test_a_page_of_a_theme_that_is_changed_meanwhile_stays_as_it_was(open_newspaper, write):
    write("pages/topics.html.j2", "<p>First</p>")
    newspaper = open_newspaper(theme="theme")
    write("pages/topics.html.j2", "{% broken")
    assert newspaper.get("/topics").text == "<p>First</p>"


def test_a_faulty_theme_stops_the_start_of_pages_and_of_sending(make_house, write):
    write("mail/alert/subject.txt.j2", "{{ view.titel }}")
    house = make_house(theme="theme")
    for start in (lambda: create_app(house), lambda: house.letters):
        with pytest.raises(ConfigurationError, match=r"mail/alert/subject\.txt\.j2, line 1: view has no 'titel'"):
            start()
