"""The refresh that nobody watches: fetch, refresh, digest, alert."""
