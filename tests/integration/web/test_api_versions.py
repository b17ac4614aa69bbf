"""`/api/v1/articles/{id}/versions`: what an article said before."""

from __future__ import annotations

import pytest

from tests.integration.intake.test_versions_shown import revised
from tests.integration.web.test_api_editions import call


@pytest.mark.parametrize("text", [False, True])
def test_the_api_lists_versions_with_their_text_when_asked(newspaper, text):
    number = revised(newspaper.house.database)
    answer = call(newspaper, "GET", f"/articles/{number}/versions{'?text=true' if text else ''}")
    assert answer.status_code == 200
    told_ = answer.json()
    assert told_["article"] == number
    assert [one["changed"] for one in told_["versions"]] == [[], ["summary", "tags"], ["title"]]
    assert ["text" in one for one in told_["versions"]] == [text] * 3
    assert not text or told_["versions"][0]["text"]["summary"] == "Twelve dead."


def test_the_api_has_no_versions_of_what_is_no_article(newspaper):
    assert call(newspaper, "GET", "/articles/99/versions").status_code == 404
