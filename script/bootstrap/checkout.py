"""The checkout that is being set up, and where in it things are kept."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def stamps(self) -> Path:
        """Beside what they speak of: who removes the virtual environment removes its stamps."""
        return self.venv / "stamps"

    @property
    def vendor(self) -> Path:
        return self.root / "static" / "vendor"

    @property
    def var(self) -> Path:
        return self.root / "var"

    @property
    def log(self) -> Path:
        return self.var / "setup.log"

    def tool(self, name: str) -> str:
        """A program of the virtual environment."""
        return str(self.venv / "bin" / name)


def this_checkout() -> Checkout:
    return Checkout(Path(__file__).resolve().parents[2])
