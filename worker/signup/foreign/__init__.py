"""Readers brought along from other houses: what listmonk and Mailchimp export, read as lines of a list.

Decides what a record there means here, and stores nothing: `run_import` does, as with a list of our own.
"""
