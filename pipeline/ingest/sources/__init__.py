"""One module a source: its official files to rows of its facts table, or of the register.

Does not belong here: spend files, which every publisher lays out in its own way (``spend``).
"""
