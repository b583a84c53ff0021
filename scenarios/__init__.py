"""Scenario plugins, one a file; found through the entry points ``drill.scenarios``."""
