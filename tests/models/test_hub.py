"""The hub is asked once whether it is there; without an answer only what is on this machine is loaded."""

import httpx2
import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from analysis.models import hub
from analysis.models.language_model import load_model

MISSING = HfHubHTTPError("404", response=httpx2.Response(404, request=httpx2.Request("GET", "https://localhost")))


@pytest.fixture(autouse=True)
def _asked_anew():
    hub.hub_answers.cache_clear()
    yield
    hub.hub_answers.cache_clear()


@pytest.mark.parametrize(
    "error, answers",
    [(None, True), (MISSING, True), (httpx2.ConnectError("no"), False), (OfflineModeIsEnabled(), False), (OSError(), False)],
    ids=["found", "unknown", "no connection", "offline", "system"],
)  # fmt: skip
def test_no_answer_is_told_from_an_answer_that_knows_no_such_model(monkeypatch, error, answers):
    asked = []

    def model_info(self, name, timeout):
        asked.append(name)
        if error:
            raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    assert [hub.hub_answers("owner/model") for _ in range(2)] == [answers] * 2
    assert asked == ["owner/model"]


def test_a_hub_that_is_not_there_is_tried_once_and_not_file_by_file(monkeypatch):
    def no_connection(self, name, timeout):
        raise httpx2.ConnectError("no")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", no_connection)
    monkeypatch.setattr("huggingface_hub.file_download.get_hf_file_metadata", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(OSError, match=r"owner/model|connect"):
        load_model("owner/model")
