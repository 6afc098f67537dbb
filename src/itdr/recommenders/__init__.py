"""Conventional recommenders, answered for beside the language models: one interface, short modules.

`fit(interactions)` learns, `score(history, candidates)` says how well each candidate goes with a
user's history: the higher the better, for rating prediction the rating itself. Methods for answers
that are text learn from training examples instead. `methods` names them all, `visible` decides what
they may see, `recommend` writes their answers in the form that a task asks for.
"""
