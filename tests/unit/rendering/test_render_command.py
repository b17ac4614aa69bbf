from __future__ import annotations

from email import message_from_bytes, policy

import pytest
import typer
from typer.testing import CliRunner

from worker.cli.render import register
from worker.errors import InputError
from worker.rendering import samples


@pytest.fixture
def run():
    app = typer.Typer()

    @app.callback()
    def tocsin() -> None:
        """Stand for the whole command line, so that `render` keeps its name."""

    register(app)
    return lambda *words: CliRunner().invoke(app, ["render", *map(str, words)])


@pytest.mark.parametrize("locale", samples.LOCALES)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_sample_is_written_as_html_text_and_message(run, tmp_path, kind, locale):
    result = run(kind, "--locale", locale, "--out", tmp_path / "new" / "folder")
    files = [tmp_path / "new" / "folder" / f"{kind}.{form}" for form in ("html", "txt", "eml")]
    assert (result.exit_code, result.stdout.split()) == (0, [str(file) for file in files])
    assert f'<html lang="{locale}"' in files[0].read_text(encoding="utf-8")
    message = message_from_bytes(files[2].read_bytes(), policy=policy.default)
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == files[1].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["telegram"], f"no kind of mail is called 'telegram' (choose one of {', '.join(samples.KINDS)}, all)"),
        (["alert", "--locale", "xx"], "no locale is called 'xx' (choose one of en, ko)"),
    ],
)
def test_a_wrong_word_gets_one_clear_line_and_writes_nothing(run, tmp_path, words, line):
    result = run(*words, "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert (str(result.exception), result.stdout) == (line, "")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_one_clear_line(run, tmp_path):
    (tmp_path / "file").touch()
    result = run("alert", "--out", tmp_path / "file" / "out")
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == f"{tmp_path}/file/out: Not a directory (choose a folder with --out)"
