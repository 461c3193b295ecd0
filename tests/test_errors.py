from pathlib import Path

from werkzeug.exceptions import UnsupportedMediaType

from app import create_app
from tests.conftest import settings_for


def test_a_refusal_of_the_framework_is_told_in_our_own_words(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/unused.db"))
    with app.test_request_context(headers={"Accept": "application/json"}):
        answer = app.make_response(app.handle_user_exception(UnsupportedMediaType()))
    assert answer.status_code == 415
    assert answer.json
    assert answer.json["error"] != UnsupportedMediaType.description
