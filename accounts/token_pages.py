"""A person's own tokens: what there is, a new one, the end of one."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from accounts.forms import SCOPE_NAMES, TokenForm
from accounts.permissions import EVERY_ROLE, allow
from accounts.queries import tokens_of
from accounts.rules import Scope, TokenState, token_state
from accounts.tokens import create_token, revoke
from errors import Invalid, NotFound
from models import ApiToken, write

blueprint = Blueprint("tokens", __name__, url_prefix="/account/tokens")


@blueprint.get("")
@allow(*EVERY_ROLE)
def own() -> ResponseReturnValue:
    return _page(TokenForm())


@blueprint.post("")
@allow(*EVERY_ROLE)
def create() -> ResponseReturnValue:
    """The answer to the form itself shows the secret, since it is kept nowhere that a redirect could fetch it from."""
    form = TokenForm()
    if not form.validate():
        return _page(form), 422
    try:
        secret = write(lambda: _created(form))
    except Invalid as refused:
        form[refused.field].errors = [refused.message]
        return _page(form), 422
    return _page(TokenForm(formdata=None), secret=secret)


@blueprint.get("/<int:number>/revoke")
@allow(*EVERY_ROLE)
def ask_to_revoke(number: int) -> ResponseReturnValue:
    return render_template("accounts/revoke_token.html", token=_own_token(number))


@blueprint.post("/<int:number>/revoke")
@allow(*EVERY_ROLE)
def end(number: int) -> ResponseReturnValue:
    write(lambda: revoke(_own_token(number)))
    flash(_("The token counts no more."))
    return redirect(url_for("tokens.own"))


def _created(form: TokenForm) -> str:
    scopes = [Scope(scope) for scope in form.scopes.data or ()]
    return create_token(current_user, str(form.name.data), scopes, timedelta(days=int(form.days.data)))[1]


def _own_token(number: int) -> ApiToken:
    found = next((token for token in tokens_of(current_user) if token.id == number), None)
    if found is None:
        raise NotFound(_("You have no token with this number."))
    return found


def _page(form: TokenForm, secret: str | None = None) -> str:
    now = datetime.now(UTC)
    listed = [(token, token_state(token.expires_at, token.revoked_at, now)) for token in tokens_of(current_user)]
    shown = {"tokens": listed, "TokenState": TokenState, "scope_names": SCOPE_NAMES}
    return render_template("accounts/tokens.html", form=form, secret=secret, **shown)
