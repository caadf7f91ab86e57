"""Spend files to typed payment lines; ``reader`` is where it begins.

Belongs here: what one table, or several tables of one file, say of their payments. Does not belong here: cells,
headers, dates and amounts as such (``tabular``), and what other files of a publisher say (``payments``).
"""
