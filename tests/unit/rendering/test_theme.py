"""An operator's own templates: over ours by name, in a sandbox, refused at the start with file and line."""

from __future__ import annotations

import shutil

import pytest

from worker.errors import ConfigurationError
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.rendering.language import Languages
from worker.rendering.theme_check import check, load_theme
from worker.rendering.theme_files import plain_theme, read_theme, stamp_of
from worker.resources import seeds_dir, templates_dir

LAYOUT = '{% extends "tocsin/mail/layout.html.j2" %}'
PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
LARGE = "{% for i in range(12) %}{{ 'y ' * 4999 }}{% endfor %}"


@pytest.fixture
def write(tmp_path):
    folder = tmp_path / "theme"
    folder.mkdir()

    def put(**files):
        for name, text in files.items():
            file = folder / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder

    def write_files(files):
        return put(**{name.replace("/", "__"): text for name, text in files.items()})

    return write_files


def html(theme, kind="alert", locale="en"):
    mail = Renderer(newsroom=samples.newsroom("en"), theme=theme).compile(samples.content(kind, locale))
    return mail.mailed_html(samples.personal(kind, locale))


def told(folder):
    return [str(fault) for fault in check(read_theme(folder)) if fault.stops]


def noted(folder):
    return [str(fault) for fault in check(read_theme(folder)) if not fault.stops]


def test_a_file_of_a_theme_stands_over_ours_of_the_same_name_and_may_extend_it(write):
    folder = write({"mail/layout.html.j2": LAYOUT + "{% block footer %}<b>Hello</b>{{ super() }}{% endblock %}"})
    theme = load_theme(folder)
    for kind in ("alert", "digest"):  # both extend mail/layout.html.j2, which is the theme's now
        assert html(theme, kind).replace("<b>Hello</b>", "", 1) == html(plain_theme(), kind)


def test_the_example_that_new_themes_begin_with_has_no_fault_and_changes_something():
    folder = seeds_dir() / "theme"
    assert check(read_theme(folder)) == []
    shown = html(load_theme(folder))
    assert "Why this came to you" in shown
    assert "#e8edf2" in shown
    assert "Harbour Courier · EN" in shown


def test_all_our_own_templates_would_do_as_a_theme(tmp_path):
    shutil.copytree(templates_dir(), tmp_path / "theme")
    assert check(read_theme(tmp_path / "theme")) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("mail/alert/subject.txt.j2", "\n{% if %}", r"mail/alert/subject.txt.j2, line 2: Expected an expression"),
        ("mail/alert/subject.txt.j2", "{{ nobody }}", "line 1: nothing is called 'nobody'"),
        (
            "mail/alert/subject.txt.j2",
            "x{% if view.why == 1 %}\n{{ view.mroe }}{% endif %}",
            "line 2: view has no 'mroe'",
        ),
        (
            "mail/alert/subject.txt.j2",
            "{{ view.card.titel }}",
            "line 1: view.card has no 'titel' (did you mean 'title'?)",
        ),
        (
            "mail/digest/subject.txt.j2",
            "{% for s in view.sections %}{% for c in s.cards %}{{ c.titel }}{% endfor %}{% endfor %}",
            "c has no 'titel'",
        ),
        ("mail/alert/subject.txt.j2", "{{ hole.unsubscribe }}", "hole has no 'unsubscribe' (did you mean"),
        ("mail/alert/subject.txt.j2", "{{ view.card.__class__ }}", "'__class__' is not for templates"),
        ("mail/alert/subject.txt.j2", "{{ view['__class__'] }}", "'__class__' is not for templates"),
        ("mail/alert/subject.txt.j2", "{% if 0 %}{{ 1 | upcase }}{% endif %}", "there is no filter 'upcase'"),
        (
            "mail/alert/subject.txt.j2",
            "{% if 0 %}{{ 1 is evne }}{% endif %}",
            "there is no test 'evne' (did you mean 'even'?)",
        ),
        ("mail/alert/subject.txt.j2", "{{ lipsum() }}", "nothing is called 'lipsum'"),
        ("mail/alert/html.j2", '{% extends "layout.html.j2" %}', "it extends 'layout.html.j2', and there is no such"),
        ("mail/alert/html.j2", '{% include "/etc/passwd" %}', "it includes '/etc/passwd', and there is no such"),
        (
            "mail/alert/html.j2",
            '{% include "../../secret.j2" %}',
            "it includes '../../secret.j2', and there is no such",
        ),
        (
            "mail/alert/html.j2",
            '{% if 0 %}{% import "mail/no" as x %}{% endif %}',
            "it imports 'mail/no', and there is no",
        ),
        ("mail/alert/html.j2", "{% include view.card.title %}", "a template whose name is worked out"),
        (
            "mail/layout.html.j2",
            '{% extends "mail/layout.html.j2" %}',
            'and so itself, without end (write "tocsin/mail/layout.html.j2" for the one of ours)',
        ),
        (
            "mail/layout.html.j2",
            LAYOUT + "\n{% block foter %}{% endblock %}",
            "line 2: no template that it extends has a block",
        ),
        (
            "mail/layout.html.j2",
            LAYOUT + "{% block footer %}{% endblock %}",
            "the mail has lost the link to unsubscribe",
        ),
        ("mail/layout.html.j2", LAYOUT + "{% block footer %}{% endblock %}", "lost the newsroom's postal address"),
        (
            "mail/layout.txt.j2",
            "{% block kind required %}{% endblock %}{% block story required %}{% endblock %}",
            "lost",
        ),
        (
            "mail/confirmation/html.j2",
            LAYOUT + "{% block date %}{% endblock %}{% block kind %}{% endblock %}",
            "block 'story'",
        ),
        ("mail/alert/subject.txt.j2", "{# #}", "the subject is empty"),
        ("mail/alert/subject.txt.j2", "{{ 1 // 0 }}", "mail/alert/subject.txt.j2, line 1: "),
        ("mail/alert/subject.txt.j2", "\n{{ view.card.title.nope }}", "line 2: view.card.title has no 'nope'"),
        ("mail/alert/subject.txt.j2", "\n{{ (view.topics | first).nope }}", "line 2: "),
        ("mail/alert/subject.txt.j2", "{% for i in range(99999) %}{% endfor %}", "`range` counts further than"),
        (
            "mail/alert/subject.txt.j2",
            "{% for i in range(999) %}{% for j in range(999) %}{% endfor %}{% endfor %}",
            "`range` counts further than",
        ),
        ("mail/alert/subject.txt.j2", "{{ 'x' * 999999999 }}", "this makes more than"),
        ("mail/alert/subject.txt.j2", "{{ 9 ** 9 ** 9 }}", "templates know no powers"),
        ("mail/alert/subject.txt.j2", "{{ 'x'.ljust(999999) }}", "this makes more than"),
        ("mail/alert/subject.txt.j2", "{{ 'x' | center(width=999999) }}", "`center` makes more than"),
        ("mail/alert/subject.txt.j2", "{{ '%999999d' | format(1) }}", "`format` makes more than"),
        ("mail/alert/subject.txt.j2", "{{ '%*d' % (999999, 1) }}", "this makes more than"),
        ("mail/alert/subject.txt.j2", "{{ '{:>{}}'.format(1, '999999') }}", "this makes more than"),
        ("mail/alert/subject.txt.j2", "{% if 0 %}{{ newsroom.parse_raw }}{% endif %}", "newsroom has no 'parse_raw'"),
        ("mail/alert/subject.txt.j2", "{% if 0 %}{{ language.catalogue }}{% endif %}", "language has no 'catalogue'"),
        (
            "mail/layout.html.j2",
            LAYOUT + "{% block footer %}{{ super() }}" + LARGE + "{% endblock %}",
            "Gmail cuts it off",
        ),
        ("pages/subscribe.html.j2", "{{ newsrom }}", "pages/subscribe.html.j2, line 1: nothing is called 'newsrom'"),
        (
            "locales/en/LC_MESSAGES/messages.po",
            PO + 'msgid "Preferences"\nmsgstr "%(x)s"',
            "a % is only for placeholders",
        ),
        (
            "locales/ko/LC_MESSAGES/messages.po",
            PO + 'msgid "Breaking: %(title)s"\nmsgstr "%(titel)s"',
            "line 5: “Breaking: %(title)s”: there is no %(titel)s in it",
        ),
    ],
)
def test_every_fault_is_told_before_any_mail_is_made_with_file_and_line(write, file, text, fault):
    with pytest.raises(ConfigurationError, match="is faulty") as refusal:
        load_theme(write({file: text}))
    faults = [line.strip() for line in str(refusal.value).splitlines()[1:]]
    assert any(one.startswith(file) and fault in one for one in faults), faults


def test_all_faults_are_told_together(write):
    faults = told(write({"mail/alert/subject.txt.j2": "{{ a }}\n{{ b }}", "mail/digest/text.txt.j2": "{{ view.c }}"}))
    assert [one.partition(":")[0] for one in faults] == [
        "mail/alert/subject.txt.j2, line 1",
        "mail/alert/subject.txt.j2, line 2",
        "mail/digest/text.txt.j2, line 1",
    ]


@pytest.mark.parametrize(
    ("file", "text", "note"),
    [
        ("mail/alert/htm.j2", "x", "nothing uses this file (did you mean mail/alert/html.j2?)"),
        ("mail/layout.html.j2", LAYOUT + "Hello", "this stands outside of all blocks"),
        ("locales/en/LC_MESSAGES/messages.po", PO + 'msgid "Prefs"\nmsgstr "P"', "no template of ours says “Prefs”"),
        ("locales/de/LC_MESSAGES/messages.po", PO + 'msgid "Breaking"\nmsgstr "Eil"', "are not translated"),
    ],
)
def test_what_is_in_vain_is_told_and_stops_nothing(write, file, text, note):
    faults = check(read_theme(write({file: text})))
    assert any(str(one).startswith(file) and note in str(one) for one in faults)
    assert not any(one.stops for one in faults)


def test_notes_and_files_of_editors_are_no_templates(write):
    assert noted(write(dict.fromkeys(["README.md", ".git/HEAD", "mail/.alert.swp", "mail/layout.html.j2~"], "x"))) == []


def test_a_theme_may_add_a_language_and_say_the_rest_in_english(write):
    theme = load_theme(write({"locales/de/LC_MESSAGES/messages.po": PO + 'msgid "News alert"\nmsgstr "Eilmeldung"'}))
    content = samples.content("alert", "en").model_copy(update={"locale": "de-AT"})
    mail = Renderer(newsroom=samples.newsroom("en"), theme=theme).compile(content)
    assert mail.language == "de"
    shown = mail.mailed_html(samples.personal("alert", "en"))
    assert "Eilmeldung" in shown
    assert "Montag, 23. November 2026" in shown
    assert "Why you got this" in shown


def test_a_reworded_sentence_takes_the_place_of_ours_and_no_other_does(write):
    theme = load_theme(write({"locales/ko/LC_MESSAGES/messages.po": PO + 'msgid "Breaking"\nmsgstr "급보"'}))
    ours, theirs = html(plain_theme(), "breaking", "ko"), html(theme, "breaking", "ko")
    assert ours.replace(">속보</td>", ">급보</td>") == theirs != ours


def test_a_process_keeps_the_theme_that_it_began_with(write):
    name = "mail/alert/subject.txt.j2"
    folder = write({name: "First"})
    theme = load_theme(folder)
    write({name: "{% broken"})
    assert load_theme(folder) is theme
    (folder / name).unlink()
    mail = Renderer(newsroom=samples.newsroom("en"), theme=theme).compile(samples.content("alert", "en"))
    assert mail.subject(samples.personal("alert", "en")) == "First"


def test_two_themes_in_one_process_do_not_mix(write, tmp_path):
    folder = write({"mail/alert/subject.txt.j2": "First"})
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "mail/alert/subject.txt.j2").write_text("Second")
    subjects = [
        Renderer(newsroom=samples.newsroom("en"), theme=load_theme(one))
        .compile(samples.content("alert", "en"))
        .subject(samples.personal("alert", "en"))
        for one in (folder, other, folder)
    ]
    assert subjects == ["First", "Second", "First"]


def test_the_digest_and_the_stamp_change_with_any_file(write):
    folder = write({"mail/alert/subject.txt.j2": "First"})
    digests, stamps = [read_theme(folder).digest], [stamp_of(folder)]
    for files in ({"mail/alert/subject.txt.j2": "Other"}, {"locales/ko/LC_MESSAGES/messages.po": PO}):
        write(files)
        digests.append(read_theme(folder).digest)
        stamps.append(stamp_of(folder))
    assert read_theme(folder).digest == digests[-1]
    assert len(set(digests)) == len(set(stamps)) == 3


@pytest.mark.parametrize("name", ["mail/alert/subject.txt.j2", "mail/alert", "pages/static/logo.svg"])
def test_a_link_out_of_the_folder_is_refused(write, tmp_path, name):
    folder = write({"README.md": "x"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "subject.txt.j2").write_text("secret")
    link = folder / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside if name == "mail/alert" else outside / "subject.txt.j2")
    with pytest.raises(ConfigurationError, match="a link that leaves the folder"):
        read_theme(folder)


def test_a_folder_that_is_not_there_and_a_file_that_is_no_text_are_one_clear_line(tmp_path):
    with pytest.raises(ConfigurationError, match=r"there is no folder .*nowhere"):
        read_theme(tmp_path / "nowhere")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/layout.html.j2").write_bytes(b"fine\n\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"layout\.html\.j2, line 2: this is no UTF-8"):
        read_theme(tmp_path)


def test_a_broken_catalogue_stops_the_start_with_its_file(write):
    with pytest.raises(ConfigurationError, match="ko/LC_MESSAGES"):
        read_theme(write({"locales/ko/LC_MESSAGES/messages.po": "Guten Morgen"}))


def test_without_english_there_are_no_languages(tmp_path):
    with pytest.raises(ConfigurationError, match="no en/"):
        Languages(tmp_path)
