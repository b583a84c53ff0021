"""Where operations people read, compare, dispute and sign off reports."""
