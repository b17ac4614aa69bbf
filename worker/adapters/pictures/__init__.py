"""Pictures of stories, fetched for readers so that nobody else learns who opens a mail: off unless switched on."""
