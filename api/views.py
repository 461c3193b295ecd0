"""What there is for programs: the document, a page about it, and who a token acts for."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import RootModel

from accounts.bearer import shown_token
from accounts.permissions import EVERY_ROLE, allow
from accounts.queries import grants_of
from accounts.rules import Scope
from api.answers import Answer
from api.document import address_of, document, operations
from api.endpoint import PREFIX, endpoint
from api.values import AnswerModel, Instant
from models import Role

blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
pages = Blueprint("programs", __name__)


class GrantAnswer(AnswerModel):
    """A role, for an organisation and those below it; for all where none is named."""

    role: Role
    organisation: str | None


class MeAnswer(AnswerModel):
    email: str
    name: str
    grants: list[GrantAnswer]
    token: str
    scopes: list[Scope]
    expires_at: Instant


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


@endpoint(
    blueprint, "GET", "/me", summary="Whom the token acts for", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: MeAnswer},
)  # fmt: skip
def me() -> Answer:
    """The account, its roles, and what the token may be used for and until when."""
    token = shown_token()
    held = [
        GrantAnswer(role=grant.role, organisation=grant.organisation.name if grant.organisation else None)
        for grant in grants_of(current_user, datetime.now(UTC))
    ]
    scopes = [scope for scope in Scope if scope in token.scopes]
    answer = MeAnswer(
        email=current_user.email,
        name=current_user.name,
        grants=held,
        token=token.name,
        scopes=scopes,
        expires_at=token.expires_at,
    )
    return Answer(answer)


@endpoint(
    blueprint, "GET", "/openapi.json", summary="This document", scope=Scope.READ, roles=EVERY_ROLE,
    answers={200: Document}, sessions=True,
)  # fmt: skip
def openapi() -> Answer:
    """Everything that programs can ask for, in OpenAPI 3.1."""
    return Answer(Document(document(current_app)))


@pages.get("/api")
@allow(*EVERY_ROLE)
def overview() -> ResponseReturnValue:
    """What there is, for the person who writes the program."""
    listed = [(address_of(rule), declared) for rule, declared in operations(current_app)]
    return render_template("api/overview.html", operations=listed)
