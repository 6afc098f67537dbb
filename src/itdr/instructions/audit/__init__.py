"""The audit: are the examples fit to train and test on?

`run` reads all parts, looks for every fault of `itdr.settings.audit.Check` and writes a report;
`gate` lets only what was found clean go on to training.
"""
