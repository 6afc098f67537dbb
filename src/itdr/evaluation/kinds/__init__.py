"""The kinds of answers: what is true, how an answer is read, and what can be wrong with it.

A new kind is one module here. Its name is what `answer` says in a task file.
"""
