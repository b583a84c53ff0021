"""What is wrong with a deployed system before the day it matters; it reads, and only reads."""
