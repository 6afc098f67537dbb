"""All readers by name."""

from tests.bad_input import files, raw_files, settings, texts

READERS = raw_files.readers() | files.readers() | texts.readers() | settings.readers()
