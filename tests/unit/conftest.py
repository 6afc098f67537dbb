"""How Hypothesis looks for examples."""

import os

from hypothesis import settings

# The same examples in every run: a change that fails is the change's fault.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
