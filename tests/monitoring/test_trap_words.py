from monitoring.trap_rules import NAMES
from studios.inventory.wording import TRAPS, trap_word


def test_every_trap_that_has_a_name_is_told_in_words() -> None:
    assert set(NAMES.values()) == set(TRAPS)
    assert trap_word("1.2.3") == "1.2.3"
