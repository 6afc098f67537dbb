"""All readers by name."""

from tests.bad_input import columns, files, raw_files, settings, texts

_MODULES = (raw_files, columns, files, texts, settings)

READERS = {name: reader for module in _MODULES for name, reader in module.readers().items()}
