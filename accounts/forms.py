from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from accounts.rules import Scope
from accounts.tokens import LONGEST_NAME

SCOPE_NAMES = {
    Scope.READ: _l("Read: studios, conferences, status, reports"),
    Scope.BOOK: _l("Book: make, change and cancel conferences"),
    Scope.OPERATE: _l("Operate: close studios, take notice of faults"),
}
LIFETIMES = {30: _l("30 days"), 90: _l("90 days"), 365: _l("A year")}


class SignInForm(FlaskForm):
    email = StringField(_l("E-mail"), [InputRequired(_l("Type your e-mail address.")), Length(max=254)])
    password = PasswordField(_l("Password"), [InputRequired(_l("Type your password.")), Length(max=200)])
    next = HiddenField()


class TokenForm(FlaskForm):
    name = StringField(
        _l("What it is for"),
        [InputRequired(_l("Give the token a name, such as the program that will use it.")), Length(max=LONGEST_NAME)],
    )
    scopes = SelectMultipleField(
        _l("It may be used to"),
        [InputRequired(_l("Choose what the token may be used for."))],
        choices=[SelectChoice(scope.value, name) for scope, name in SCOPE_NAMES.items()],
        default=[Scope.READ.value],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    days = SelectField(
        _l("It lasts"),
        choices=[SelectChoice(str(days), name) for days, name in LIFETIMES.items()],
        default="90",
    )
