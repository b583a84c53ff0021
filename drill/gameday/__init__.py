"""Game days: a date, people, a target, several drills in order with gates between them, and a result."""
