"""`python -m worker` is `tocsin`: what the supervisor starts its children with."""

from __future__ import annotations

from worker.cli import main

if __name__ == "__main__":
    main()
