"""How the program itself is doing: its processes, its readiness, its configuration, a line for each request."""
