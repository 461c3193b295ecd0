"""Titles of invented conferences, as Norwegian coordinators write them. None can hold anything about a patient."""

from random import Random

from models import Purpose

FIELDS = (
    "ortopedi", "nevrologi", "hudsykdommer", "lungesykdommer", "hjertesykdommer", "nyresykdommer", "kreft", "geriatri",
    "barnehabilitering", "psykisk helse", "rus og avhengighet", "øre-nese-hals", "øyesykdommer", "diabetes",
    "gynekologi", "radiologi", "revmatologi", "rehabilitering", "palliasjon", "infeksjonsmedisin",
)  # fmt: skip
SHAPES = {
    Purpose.CLINICAL: (
        "Fjernkonsultasjon {field}", "Poliklinikk på video, {field}", "Spesialistvurdering {field}",
        "Samarbeidsmøte {field}", "Vakthavende lege, {field}", "Veiledning av lokalsykehus, {field}",
    ),
    Purpose.MULTIDISCIPLINARY: (
        "Tverrfaglig møte {field}", "MDT-møte {field}", "Felles vurderingsmøte {field}",
        "Samhandlingsmøte sykehus og kommune", "Røntgenmøte {field}",
    ),
    Purpose.ADMINISTRATION: (
        "Ledermøte", "Avdelingsmøte {field}", "Budsjettmøte", "Driftsmøte", "Prosjektmøte fjernmedisin",
        "Møte i samarbeidsutvalget", "Vaktplan og bemanning", "Kvalitetsråd {field}", "Styringsgruppe helsefellesskap",
        "Møte om beredskap", "Innkjøpsmøte", "Opplæringsplan {field}",
    ),
    Purpose.EDUCATION: (
        "Internundervisning {field}", "Fagdag {field}", "Kurs for turnusleger, {field}", "Fagnettverk {field}",
        "Undervisning for fastleger, {field}", "Lunsjforedrag {field}", "Kurs i hjerte-lunge-redning",
        "Kurs i journalsystem", "Smittevern: nye rutiner", "Veiledning av sykepleiere, {field}",
    ),
    Purpose.TEST: ("Linjetest", "Kvalitetstest av lyd og bilde", "Test av nytt kamera", "Prøvesamtale før kurs"),
}  # fmt: skip


def title(random: Random, purpose: Purpose) -> str:
    return random.choice(SHAPES[purpose]).format(field=random.choice(FIELDS))
