"""What the settings say about DKIM: keys that are fit to sign for the newsroom's sender, or one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.deliverability.dkim_keys import Algorithm, new_private_key
from worker.errors import ConfigurationError
from worker.settings import Settings, load, variable
from worker.wiring import House

RSA, ED25519 = new_private_key(Algorithm.RSA), new_private_key(Algorithm.ED25519)


@pytest.fixture
def house(tmp_path, monkeypatch):
    for name in map(variable, Settings.model_fields):
        monkeypatch.delenv(name, raising=False)

    def make(**settings) -> House:
        return House(load(**{"home": tmp_path, "from_": "News <news@courier.example>"} | settings))

    return make


def kept(folder: Path, pem: bytes, mode: int = 0o600) -> Path:
    file = folder / "dkim.pem"
    file.write_bytes(pem)
    file.chmod(mode)
    return file


def test_without_a_key_nothing_is_signed(house):
    assert house().signer is None


def test_a_key_signs_for_the_domain_of_from(house, tmp_path):
    signer = house(dkim_selector="s1", dkim_key_file=kept(tmp_path, RSA, 0o640)).signer
    assert (signer.domain, [key.algorithm for key in signer.keys]) == ("courier.example", ["rsa-sha256"])


def test_a_sender_of_an_international_domain_signs_and_sends_as_dns_knows_it(house, tmp_path):
    found = house(
        from_="Zeitung <brief@Straße.example>",
        reply_to="Leserbriefe <post@straße.example>",
        dkim_selector="s1",
        dkim_key_file=kept(tmp_path, RSA),
    )
    assert found.signer.domain == "xn--strae-oqa.example"
    assert found.newsroom.from_address == "brief@xn--strae-oqa.example"
    assert found.newsroom.reply_to == "post@xn--strae-oqa.example"
    assert found.planning_policy.domain == "xn--strae-oqa.example"  # of Message-IDs


def test_two_keys_sign_every_mail(house, tmp_path):
    (tmp_path / "ed").mkdir()
    signer = house(
        dkim_domain="mail.courier.example",
        dkim_selector="s1",
        dkim_key_file=kept(tmp_path, RSA),
        dkim_ed25519_selector="s2",
        dkim_ed25519_key_file=kept(tmp_path / "ed", ED25519),
    ).signer
    assert signer.domain == "mail.courier.example"
    assert [(key.selector, key.algorithm) for key in signer.keys] == [("s1", "rsa-sha256"), ("s2", "ed25519-sha256")]


def test_a_key_that_everybody_may_read_is_not_used(house, tmp_path):
    file = kept(tmp_path, RSA, 0o644)
    with pytest.raises(ConfigurationError, match=rf"everybody may read the private key {file}: say .chmod o= "):
        _ = house(dkim_selector="s1", dkim_key_file=file).signer


def test_a_key_that_is_not_there_is_named(house, tmp_path):
    with pytest.raises(ConfigurationError, match=rf"the private key {tmp_path}/none.pem cannot be read: No such file"):
        _ = house(dkim_selector="s1", dkim_key_file=tmp_path / "none.pem").signer


def test_a_key_in_the_other_one_s_place_is_named_with_its_variable(house, tmp_path):
    with pytest.raises(ConfigurationError, match=r"^TOCSIN_DKIM_KEY_FILE=.*dkim\.pem: the key is of another kind"):
        _ = house(dkim_selector="s1", dkim_key_file=kept(tmp_path, ED25519)).signer


@pytest.mark.parametrize("half", [{"dkim_selector": "s1"}, {"dkim_key_file": "dkim.pem"}])
def test_half_of_what_it_takes_is_not_taken_for_none(house, half):
    with pytest.raises(ConfigurationError, match="TOCSIN_DKIM_SELECTOR and TOCSIN_DKIM_KEY_FILE together"):
        _ = house(**half).signer


def test_a_domain_that_cannot_speak_for_the_sender_is_refused(house, tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"TOCSIN_DKIM_DOMAIN=mailer\.example cannot speak for mail from courier"
    ):
        _ = house(dkim_domain="mailer.example", dkim_selector="s1", dkim_key_file=kept(tmp_path, RSA)).signer
