"""Preconditions, one a file: what must be true before anything is touched. They read, and only read."""
