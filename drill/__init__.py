"""Disaster-recovery drills that measure: break a two-region system, watch it recover, put it back."""
