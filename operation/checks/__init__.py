"""`studionett check`: each function looks at one thing and says how it stands and what mends it."""
