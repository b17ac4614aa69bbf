"""A peer: django-post_office's whole path, from a template and a queue in SQLite to the relay, in ten threads.

Answers `send COUNT CONNECTIONS PORT` with the seconds that queueing and sending took together, as a line of JSON.
Started by `peers.py` with PARTS FOLDER. Django is imported when it has settings.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

_TEMPLATES = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": True}


def set_up(folder: Path) -> None:
    """Configure Django, kindly: a write-ahead log, synced at checkpoints only."""
    import django
    from django.conf import settings

    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "post_office.db"),
        "OPTIONS": {"timeout": 30, "init_command": "pragma journal_mode=wal; pragma synchronous=normal"},
    }
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        USE_TZ=True,
        SECRET_KEY="for the benchmark",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_BACKEND="post_office.EmailBackend",
        POST_OFFICE={
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "BATCH_SIZE": 500,
            "THREADS_PER_PROCESS": 10,
            "LOG_LEVEL": 1,
        },
        LOGGING_CONFIG=None,
        TEMPLATES=[_TEMPLATES],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def send(template: Any, count: int, unsubscribe: str) -> None:
    """Queue the mails and send them all."""
    from post_office import mail
    from post_office.models import STATUS, Email

    mail.send_many(
        [
            {
                "sender": "news@courier.example",
                "recipients": [f"crowd.{number}@reader.example"],
                "template": template,
                "context": {"name": f"Reader {number}", "mail": f"crowd.{number}@reader.example"},
                "headers": {"List-Unsubscribe": unsubscribe, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
            }
            for number in range(count)
        ]
    )
    mail.send_queued_mail_until_done(processes=1)
    sent = Email.objects.filter(status=STATUS.sent).count()
    if sent != count:
        raise RuntimeError(f"django-post_office sent {sent} of {count}")


def main() -> None:
    """Answer requests until there are no more."""
    parts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    set_up(Path(sys.argv[2]))
    logging.disable(logging.INFO)  # it tells of every batch
    from django.conf import settings
    from post_office.models import Email, EmailTemplate

    template = EmailTemplate.objects.create(
        name="digest", subject=parts["subject"], content=parts["plain"], html_content=parts["html"]
    )
    for line in sys.stdin:
        count, _, settings.EMAIL_PORT = map(int, line.split()[1:])
        Email.objects.all().delete()
        started_s = time.perf_counter()
        send(template, count, parts["unsubscribe"])
        sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started_s}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
