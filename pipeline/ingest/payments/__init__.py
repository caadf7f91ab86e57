"""Typed lines of spend files to payments: whose they are, which file counts, and what is kept for the next time.

Does not belong here: understanding a table (``spend``), and when and by whom it is done (``refresh``).
"""
