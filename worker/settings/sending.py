"""How mail leaves: relays, their pace, signatures, leases, retries and the watched first share.

Reads nothing but the values it is given. Put into `Settings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from worker.allowances import Hours, read_domain_rates
from worker.errors import ConfigurationError
from worker.keys import SigningKeyFile
from worker.settings.kinds import Part, Port, Share


class Sending(Part):
    """Relays and signatures."""

    transports: SecretStr | None = Field(None, description="DSNs of relays and providers; default: the local inbox")
    domain_rates: str = Field(
        "", description="messages a second by receiver, `*` for each other one, for example gmail.com=20 *=50"
    )
    bulk_hours: str = Field(
        "", description="the newsroom's hours in which digests and newsletters may go, for example 07-22; default: all"
    )
    inbox_port: Port = Field(2525, description="loopback port of the local inbox's SMTP server")
    dkim_domain: str = Field("", description="the d= of DKIM signatures; default: From's domain")
    dkim_selector: str = Field("", description="selector of the RSA key; `tocsin dkim new` makes one")
    dkim_key_file: Path | None = Field(None, description="the RSA key, as PEM; default: no RSA signature")
    dkim_ed25519_selector: str = Field("", description="selector of the Ed25519 key")
    dkim_ed25519_key_file: Path | None = Field(None, description="the Ed25519 key, as PEM; default: no such signature")
    dns_resolvers: str = Field(
        "",
        description="name servers that `tocsin doctor` asks, as ADDRESS or ADDRESS:PORT, comma separated; "
        "default: the system's",
    )

    @field_validator("dns_resolvers")
    @classmethod
    def _are_servers(cls, value: str) -> str:
        name_servers(value)
        return value

    @field_validator("domain_rates")
    @classmethod
    def _is_rates(cls, value: str) -> str:
        try:
            read_domain_rates(value)
        except ValueError:
            raise ValueError("must be domains with messages a second, separated by spaces") from None
        return value

    @field_validator("bulk_hours")
    @classmethod
    def _is_hours(cls, value: str) -> str:
        try:
            _ = value and Hours.read(value)
        except ValueError:
            raise ValueError("must be two hours") from None
        return value

    def dkim_keys(self) -> Iterator[SigningKeyFile]:
        """Yield the keys that mail is signed with. Raises `ConfigurationError` for half a key."""
        for algorithm, selector, file, prefix in (
            ("rsa-sha256", self.dkim_selector, self.dkim_key_file, "TOCSIN_DKIM"),
            ("ed25519-sha256", self.dkim_ed25519_selector, self.dkim_ed25519_key_file, "TOCSIN_DKIM_ED25519"),
        ):
            if bool(selector) != bool(file):
                raise ConfigurationError(f"set {prefix}_SELECTOR and {prefix}_KEY_FILE together, or neither")
            if selector and file:
                variable = f"{prefix}_KEY_FILE"
                yield SigningKeyFile(algorithm=algorithm, selector=selector, file=file, variable=variable)


class Delivering(Part):
    """Leases, retries, cores and an edition's first share."""

    lease_s: Annotated[float, Field(ge=5, le=600)] = Field(45, description="how long a silent worker keeps its batch")
    retry_alert_s: Annotated[float, Field(ge=1, le=3600)] = Field(30, description="first retry of an alert")
    retry_digest_s: Annotated[float, Field(ge=1, le=86_400)] = Field(300, description="first retry of a digest")
    delivery_one_core: bool = Field(
        False,
        description="keep each process that sends mail on one core: faster where this machine is Tocsin's own",
    )
    canary_share: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.01, description="share of a large edition that is sent and watched before the rest; 0 sends all at once"
    )
    canary_min_audience: Annotated[int, Field(ge=1)] = Field(
        5_000, description="from which audience on an edition is large; what is breaking never waits"
    )
    canary_watch_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        60, description="how long the first share is watched after its last answer"
    )
    canary_refused: Share = Field(0.02, description="share of refusals because of us above which the rest is held")
    canary_unknown: Share = Field(0.02, description="share of lost replies above which the rest is held")
    canary_bounced: Share = Field(0.05, description="share of bounces above which the rest is held")
    canary_complained: Share = Field(0.002, description="share of complaints above which the rest is held")


def name_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Read TOCSIN_DNS_RESOLVERS. Raises `ValueError`.

    >>> name_servers("192.0.2.53, [2001:db8::53]:5353")
    (('192.0.2.53', 53), ('2001:db8::53', 5353))
    """
    servers = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        address, _, port = (word, "", "53") if word.count(":") > 1 and "[" not in word else word.rpartition(":")
        address, port = (address, port) if address else (port, "53")
        try:
            servers.append((str(ip_address(address.strip("[]"))), int(port)))
        except ValueError:
            raise ValueError("must be addresses, such as 192.0.2.53 or [2001:db8::53]:53") from None
    return tuple(servers)
