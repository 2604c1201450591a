"""The load generator's own checks: it must notice every wrong frame."""

from pathlib import Path

import pytest

from shared.audio import CHUNK_BYTES, FRAME_BYTES
from tests.load.cores import Cores
from tests.load.document import TITLE, put, table
from tests.load.echo_check import EchoCheck, chunk
from tests.load.ladder import Rung, largest
from tests.load.websocket_client import BINARY, frame


def checked(received: bytes, *, caller: int = 7, measured: bool = True) -> EchoCheck:
    echo = EchoCheck(caller)
    for now in (1.0, 1.08, 1.16):
        echo.next_chunk(now)
    if measured:
        echo.begin()
    echo.take(received, 1.5)
    return echo


def all_sent() -> bytes:
    return b"".join(chunk(7, number) for number in range(3))


def test_an_echo_in_pieces_of_any_size_is_complete_and_timed() -> None:
    echo = EchoCheck(7)
    data = echo.next_chunk(1.0)
    echo.begin()
    for start in range(0, CHUNK_BYTES, 100):
        echo.take(data[start : start + 100], 1.25)
    assert (echo.missing, echo.lost, echo.wrong) == (0, 0, 0)
    assert echo.latency_s == [0.25]
    assert echo.lateness_s == [0.0] * 4


def test_a_later_frame_may_come_as_late_as_it_plays() -> None:
    echo = EchoCheck(7)
    data = echo.next_chunk(1.0)
    echo.begin()
    for index, now in enumerate((1.0, 1.02, 1.07, 1.06)):
        echo.take(data[index * FRAME_BYTES : (index + 1) * FRAME_BYTES], now)
    assert echo.lateness_s == pytest.approx([0.0, 0.0, 0.03, 0.0])


@pytest.mark.parametrize(
    ("received", "lost", "wrong", "missing"),
    [
        (all_sent()[FRAME_BYTES:], 1, 0, 0),
        (all_sent()[: 2 * FRAME_BYTES] + all_sent()[FRAME_BYTES:], 0, 1, 0),
        (all_sent()[:FRAME_BYTES] + chunk(8, 0), 0, 4, 11),
        (bytes(FRAME_BYTES) + all_sent(), 0, 0, 0),
        (all_sent()[:-1], 0, 0, 1),
    ],
    ids=["lost", "doubled", "foreign", "silence between", "not whole"],
)
def test_a_wrong_echo_is_counted(received: bytes, lost: int, wrong: int, missing: int) -> None:
    echo = checked(received)
    assert (echo.lost, echo.wrong, echo.missing) == (lost, wrong, missing)


def test_frame_numbers_above_a_thousand_use_both_fields_of_the_stamp() -> None:
    assert chunk(1, 249)[:FRAME_BYTES] != chunk(1, 250)[:FRAME_BYTES]
    echo = EchoCheck(1)
    echo.expected = 1_000
    echo.sent_at = [0.0] * 251
    echo.take(chunk(1, 250), 0.0)
    assert echo.missing == echo.wrong == echo.lost == 0


@pytest.mark.parametrize("size", [1, 125, 126, 3_840])
def test_a_client_frame_has_a_mask_of_zero(size: int) -> None:
    data = frame(BINARY, b"x" * size)
    assert data[0] == 0x82
    assert data[1] & 0x80
    assert data.endswith(bytes(4) + b"x" * size)


def rung(callers: int, p95: float, lost: int = 0) -> Rung:
    return Rung(callers, 1, p95, p95, 1, 1, lost, 1, {"gateway": 2.0 * callers})


def test_the_largest_number_counts_only_if_all_smaller_ones_hold() -> None:
    rungs = [rung(1, 5), rung(50, 20), rung(100, 30, lost=1), rung(200, 40)]
    assert largest(rungs) == 50
    assert largest([rung(1, 200)]) == 0
    assert rungs[1].cpu_per_caller == pytest.approx(2.0)


def test_a_section_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "B.md"
    put(path, "one", "first")
    path.write_text(path.read_text() + "\n## Faults\n\nby hand\n")
    put(path, "two", table(["a", "b"], [[1, 2.345], ["x", float("nan")]]))
    put(path, "one", "second")
    text = path.read_text()
    assert text.startswith(TITLE)
    assert "first" not in text
    assert text.index("second") < text.index("by hand") < text.index("| 1 | 2.35 |")
    assert "| x | - |" in text


def test_server_and_load_use_the_first_and_the_last_core() -> None:
    cores = Cores.of_machine()
    assert cores.server <= cores.load
