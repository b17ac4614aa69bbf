"""Tocsin: the newsletter and alert delivery worker of a newsroom."""

__version__ = "0.1.0"
