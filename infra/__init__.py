"""The drilled system, how it is deployed, and the lab on which it runs without an account."""
