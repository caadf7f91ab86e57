"""Measured claims: each module times one thing the documentation states, on files it makes itself."""
