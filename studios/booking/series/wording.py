"""A series in words: when it meets, how often, and what its days are called."""

from datetime import date

from babel.lists import format_list
from flask_babel import LazyString, format_date, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from accounts.language import language
from studios.booking.series import rules
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.rules import Frequency, Rule, RuleProblem, RuleRefused, Weekday

PROBLEMS = {
    RuleProblem.UNREADABLE: _l("This rule cannot be read."),
    RuleProblem.UNSUPPORTED: _l("Rules of this kind are not supported here."),
    RuleProblem.BELOW_A_DAY: _l("A series meets once a day at most, at the time that stands beside the rule."),
    RuleProblem.HAS_START: _l("The first day stands beside the rule, not in it."),
    RuleProblem.UNTIL_IS_NOT_A_DAY: _l("A rule ends with a day, without a time."),
    RuleProblem.NO_END: _l("Say how often the series meets, or until which day."),
    RuleProblem.TWO_ENDS: _l("Say either how often the series meets or until which day, not both."),
    RuleProblem.TOO_MANY: _l("A series has %(most)s meetings at most.", most=rules.MOST_OCCURRENCES),
    RuleProblem.TOO_LARGE: _l(
        "The meetings of a series have %(most)s places in all at most. Choose fewer meetings or fewer parties.",
        most=rules.MOST_SEATS,
    ),
    RuleProblem.TOO_FAR: _l("A series ends within ten years."),
    RuleProblem.NEVER: _l("No day meets this rule."),
}
# By the names of the `holidays` library.
HOLIDAYS = {
    "New Year's Day": _l("New Year's Day"),
    "Maundy Thursday": _l("Maundy Thursday"),
    "Good Friday": _l("Good Friday"),
    "Easter Sunday": _l("Easter Sunday"),
    "Easter Monday": _l("Easter Monday"),
    "Labor Day": _l("Labour Day"),
    "Constitution Day": _l("Constitution Day"),
    "Ascension Day": _l("Ascension Day"),
    "Pentecost": _l("Pentecost"),
    "Pentecost Monday": _l("Pentecost Monday"),
    "Christmas Day": _l("Christmas Day"),
    "Second Day of Christmas": _l("Boxing Day"),
}
NTH = {
    1: _l("The first %(day)s"),
    2: _l("The second %(day)s"),
    3: _l("The third %(day)s"),
    4: _l("The fourth %(day)s"),
    5: _l("The fifth %(day)s"),
    -1: _l("The last %(day)s"),
    -2: _l("The second last %(day)s"),
}
WORKING_DAYS = {0, 1, 2, 3, 4}


def describe(recurrence: Recurrence) -> str:
    """Every Monday at 09:00, 26 times, until 17 May 2027; the text of the rule where we have no words for it."""
    try:
        rule = rules.read(recurrence.rule)
        days = rules.days(rule, recurrence.first_day)
    except RuleRefused:
        return recurrence.rule
    pattern = _pattern(rules.completed(rule, recurrence.first_day))
    if pattern is None:
        return recurrence.rule
    return _(
        "%(pattern)s at %(time)s, %(times)s, until %(day)s",
        pattern=pattern,
        time=f"{recurrence.start_time:%H:%M}",
        times=ngettext("%(num)s time", "%(num)s times", len(days)),
        day=_full_day(days[-1]),
    )


def holiday_name(name: str) -> str | LazyString:
    """What we call a public holiday; one that is new to us keeps the library's name."""
    return HOLIDAYS.get(name, name)


def _pattern(rule: Rule) -> str | None:
    if rule.months and rule.frequency is not Frequency.YEARLY:
        return None
    match rule.frequency:
        case Frequency.DAILY:
            return _daily(rule)
        case Frequency.WEEKLY:
            return _weekly(rule)
        case Frequency.MONTHLY:
            return _monthly(rule)
        case Frequency.YEARLY:
            return _yearly(rule)


def _daily(rule: Rule) -> str | None:
    if rule.month_days:
        return None
    if rule.weekdays:
        return _weekly(rule) if rule.interval == 1 else None
    if rule.interval == 1:
        return _("Every day")
    if rule.interval == 2:
        return _("Every second day")
    return _("Every %(num)s days", num=rule.interval)


def _weekly(rule: Rule) -> str:
    numbers = {weekday.weekday for weekday in rule.weekdays}
    if numbers == WORKING_DAYS and rule.interval == 1:
        return _("Every weekday")
    days = format_list([_weekday_name(number) for number in sorted(numbers)], locale=get_locale())
    if rule.interval == 1:
        return _("Every %(days)s", days=days)
    if rule.interval == 2:
        return _("Every second week on %(days)s", days=days)
    return _("Every %(num)s weeks on %(days)s", num=rule.interval, days=days)


def _monthly(rule: Rule) -> str | None:
    which = _which_day(rule)
    if which is None:
        return None
    if rule.interval == 1:
        return _("%(which)s of each month", which=which)
    if rule.interval == 2:
        return _("%(which)s of every second month", which=which)
    return _("%(which)s of every %(num)s months", which=which, num=rule.interval)


def _which_day(rule: Rule) -> str | None:
    """The one day of the month that a rule names, in words."""
    if len(rule.month_days) == 1 and not rule.weekdays and rule.positions in ((), (1,), (-1,)):
        return _month_day(rule.month_days[0])
    numbers = {nth for nth in (*(weekday.nth for weekday in rule.weekdays), *rule.positions) if nth is not None}
    day = _kind_of_day(rule.weekdays)
    if day is None or rule.month_days or len(numbers) != 1 or (nth := numbers.pop()) not in NTH:
        return None
    return str(NTH[nth]) % {"day": day}


def _kind_of_day(weekdays: tuple[Weekday, ...]) -> str | None:
    if len(weekdays) == 1:
        return _weekday_name(weekdays[0].weekday)
    return _("weekday") if set(weekdays) == {Weekday(number) for number in WORKING_DAYS} else None


def _month_day(number: int) -> str | None:
    if number == -1:
        return _("The last day")
    return _("Day %(num)s", num=number) if number > 0 else None


def _yearly(rule: Rule) -> str | None:
    """The same day each year, which is what people mean by yearly; the 29th of February is named by its rule."""
    single = len(rule.months) == len(rule.month_days) == 1 and not rule.weekdays and not rule.positions
    if not single or rule.interval != 1 or rule.month_days[0] < 1 or (rule.months, rule.month_days) == ((2,), (29,)):
        return None
    day = date(2024, rule.months[0], rule.month_days[0])
    return _("Every year on %(day)s", day=format_date(day, "d MMMM" if language() == "en" else "d. MMMM"))


def _weekday_name(number: int) -> str:
    """0 is Monday."""
    return str(format_date(date(2024, 1, 1 + number), "EEEE"))


def _full_day(day: date) -> str:
    return str(format_date(day, "d MMMM y" if language() == "en" else "d. MMMM y"))
