"""The lab: an AWS-compatible cloud on loopback whose parts really run and really fail."""
