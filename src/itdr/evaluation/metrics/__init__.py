"""The metrics. A new one is one function in a module here, registered with direction and source.

A cell's value is the mean of its examples' values; for metrics of squared errors it is the root of
that mean.
"""
