"""Sign in, sign out, choose a language."""

from datetime import UTC, datetime

from flask import Blueprint, Flask, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.orm import joinedload

from accounts.forms import SignInForm
from accounts.language import LANGUAGE_COOKIE, LANGUAGES
from accounts.people import attempt_sign_in, begin_session, end_session, hash_of, password_fits
from accounts.permissions import EVERY_ROLE, access, allow, public
from accounts.rules import Access, session_is_live
from config import settings
from errors import NotFound, TooMany
from models import Account, Role, Session, db, write

blueprint = Blueprint("accounts", __name__)
login_manager = LoginManager()

ROLE_NAMES = {
    Role.COORDINATOR: _l("Coordinator"),
    Role.TECHNICIAN: _l("Technician"),
    Role.MANAGER: _l("Manager"),
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.EMERGENCY: _l("Emergency booking"),
}
# The first that is held decides: a booking is made with somebody on the phone, a report was there all night.
STARTS = (
    (Role.COORDINATOR, "booking.book"),
    (Role.TECHNICIAN, "monitoring.status"),
    (Role.MANAGER, "reports.index"),
    (Role.ADMINISTRATOR, "inventory.studios"),
)
YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    login_manager.init_app(app)
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(role_names=ROLE_NAMES, languages=LANGUAGES)


@login_manager.user_loader
def load_account(token: str) -> Account | None:
    """The account behind a session's token, while that session is live."""
    query = db.select(Session).where(Session.token_hash == hash_of(token)).options(joinedload(Session.account))
    session = db.session.scalar(query)
    now = datetime.now(UTC)
    if session is None or session.account.disabled_at is not None:
        return None
    limits = settings().session_idle, settings().session_length
    if not session_is_live(session.created_at, session.seen_at, session.ended_at, now, *limits):
        return None
    session.account.session_token = token
    session.account.session_seen_at = session.seen_at
    return session.account


@blueprint.get("/")
@allow(*EVERY_ROLE)
def start() -> ResponseReturnValue:
    """Where a person's work begins; with several roles, at the one whose work waits for nobody."""
    return redirect(url_for(_start_of(access())))


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm(next=request.args.get("next"))
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), 422 if form.is_submitted() else 200
    try:
        token = _try_to_sign_in(form)
    except TooMany as error:
        return render_template("accounts/sign_in.html", form=form, refusal=error.message), error.status
    if token is None:
        refusal = _("The e-mail address or the password is wrong.")
        return render_template("accounts/sign_in.html", form=form, refusal=refusal), 422
    login_user(load_account(token))
    return redirect(_own_address(form.next.data) or url_for("accounts.start"))


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """Open to those, too, whose last role has run out."""
    if not current_user.is_authenticated:
        return redirect(url_for("accounts.start"))
    token = current_user.get_id()
    write(lambda: end_session(token))
    logout_user()
    flash(_("You are signed out."))
    return redirect(url_for("accounts.sign_in"))


@blueprint.post("/language/<code>")
@public
def choose_language(code: str) -> ResponseReturnValue:
    if code not in LANGUAGES:
        raise NotFound(_("There is no such language here."))
    response = make_response(redirect(_own_address(request.form.get("next")) or url_for("accounts.start")))
    response.set_cookie(
        LANGUAGE_COOKIE, code, max_age=YEAR, samesite="Lax", httponly=True, secure=settings().secure_cookies
    )
    return response


def _start_of(held: Access) -> str:
    return next(page for role, page in STARTS if held.has(role))


def _try_to_sign_in(form: SignInForm) -> str | None:
    email, address = str(form.email.data), request.remote_addr or ""
    fits = password_fits(email, str(form.password.data), address, settings())

    def admit() -> str | None:
        account = attempt_sign_in(email, fits, address, settings())
        return begin_session(account) if account else None

    return write(admit)


def _own_address(address: str | None) -> str | None:
    """The address if it is a path of this site; anything else could lead people astray."""
    if not address:
        return None
    # Browsers take a backslash for a slash and drop control characters before they read an address.
    leads_away = not address.startswith("/") or address.startswith("//") or "\\" in address
    return None if leads_away or not address.isprintable() else address
