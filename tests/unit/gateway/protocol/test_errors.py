"""The table of error codes."""

from gateway.protocol.errors import RETRY_AFTER_MS, ErrorCode, NoCapacity


def test_the_codes_are_those_that_clients_know() -> None:
    assert {str(code): code.close_code for code in ErrorCode} == {
        "bad_message": 4400,
        "bad_token": 4401,
        "unauthorized": 4403,
        "not_found": 4404,
        "start_timeout": 4408,
        "replaced": 4409,
        "session_lost": 4410,
        "too_large": 4413,
        "poisoned": 4422,
        "too_fast": 4429,
        "too_slow": 4430,
        "internal": 4500,
        "no_capacity": 4503,
        "unsupported": 4415,
    }


def test_every_code_has_a_close_code_of_its_own_and_a_sentence() -> None:
    assert len({code.close_code for code in ErrorCode}) == len(ErrorCode)
    assert all(code.meaning.endswith(".") for code in ErrorCode)
    assert ErrorCode("no_capacity") is ErrorCode.NO_CAPACITY


def test_a_refusal_for_lack_of_room_says_when_to_try_again() -> None:
    error = NoCapacity("full")
    assert (error.code, error.retry_after_ms) == (ErrorCode.NO_CAPACITY, RETRY_AFTER_MS)
