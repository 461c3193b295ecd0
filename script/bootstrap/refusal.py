"""Why the set-up cannot go on."""


class Refusal(Exception):
    """One sentence that names the obstacle and the way out; printed as it is, without a traceback."""
