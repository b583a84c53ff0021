"""Whether a target file names things that are there, and what its standby can carry; nothing is changed."""
