"""Figures and claims that others published, with their citation.

Belongs here: single published facts in reviewed YAML files and their loaders. Does not belong
here: anything computed from the data of this project.
"""
