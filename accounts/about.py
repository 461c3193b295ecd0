"""The pages about Studionett itself: help, privacy, accessibility."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from accounts.permissions import EVERY_ROLE, allow, public
from config import settings

blueprint = Blueprint("about", __name__)


@blueprint.get("/help")
@allow(*EVERY_ROLE)
def guide() -> ResponseReturnValue:
    return render_template("accounts/help.html")


@blueprint.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    found = settings()
    return render_template("accounts/privacy.html", idle=found.session_idle / 60, length=found.session_length / 3600)


@blueprint.get("/accessibility")
@public
def accessibility() -> ResponseReturnValue:
    return render_template("accounts/accessibility.html")
