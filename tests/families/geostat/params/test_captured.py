"""Every body that the vendor's client was seen to send is accepted."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.params.checks import check_params

CAPTURED = (
    Path(os.environ.get("HAULIER_TEST_WIRE", Path(__file__).parents[5] / "shared" / "wire"))
    / "evo_captured_requests.jsonl"
)


def captured() -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not CAPTURED.is_file():
        return
    for line in CAPTURED.read_text().splitlines():
        request = json.loads(line)
        if request["m"] == "POST" and "/geostatistics/" in request["p"]:
            params = request["b"]["parameters"]
            if "_mode" not in params:  # those asked a stub for a certain answer
                yield request["p"].rpartition("/")[2], params


REQUESTS = list(captured())


@pytest.mark.skipif(not REQUESTS, reason="the captured requests are not here")
def test_the_captured_requests_name_all_thirteen_tasks() -> None:
    assert len({task for task, _ in REQUESTS}) == 13


@pytest.mark.parametrize(("task", "params"), REQUESTS, ids=[task for task, _ in REQUESTS])
def test_a_captured_request_is_accepted(task: str, params: Mapping[str, Any]) -> None:
    kind = {kind.slug: kind for kind in KINDS.values()}[task]

    decoded = msgspec.convert(params, kind.params, strict=True)

    check_params(decoded)  # type: ignore[arg-type]
