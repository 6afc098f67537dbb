"""`python -m itdr` is the `itdr` command."""

import sys

from itdr.cli.main import main

sys.exit(main())
