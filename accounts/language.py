"""Which language a page is written in: the one chosen, else the best of what the browser asks for."""

from flask import has_request_context, request

LANGUAGES = {"nb": "Norsk bokmål", "en": "English"}
DEFAULT_LANGUAGE = "nb"
LANGUAGE_COOKIE = "language"


def language() -> str:
    if not has_request_context():
        return "en"  # the command line
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    asked = request.accept_languages.best_match(["nb", "no", "nn", "en"], DEFAULT_LANGUAGE)
    return "en" if asked == "en" else "nb"
