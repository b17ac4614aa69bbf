"""DKIM key files: written once, readable by their owner only, never written over. Decides nothing."""

from __future__ import annotations

import os
from pathlib import Path

from worker.deliverability.dkim_keys import PublicKey, public_key
from worker.errors import ConfigurationError, InputError
from worker.keys import read_key_file


def keep_new_key(pem: bytes, file: Path) -> None:
    """Write a private key to a new file, complete before anybody can see it. Raises `InputError`."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    except FileExistsError as error:
        raise InputError("a key is there already", where=str(file), hint="choose another --selector") from error
    except OSError as error:
        raise InputError(f"{error.strerror}", where=str(file), hint="choose a folder with --out") from error
    finally:
        draft.unlink(missing_ok=True)


def read_public_key(file: Path) -> PublicKey:
    """Return the public half of a private key's file. Raises `ConfigurationError`."""
    try:
        return public_key(read_key_file(file))
    except ValueError as error:
        raise ConfigurationError(f"the DKIM key {file} {error}: make one with `tocsin dkim new`") from error
