"""The lists of packages in deploy/images/ name what pyproject.toml needs, and nothing else."""

import pytest

from tests.image_lists import IMAGES, LEFT_OUT, for_gpu, lists, text


@pytest.mark.parametrize("name", ["gateway.txt", "worker.txt", "cuda.txt"])
def test_a_list_is_what_its_image_needs(name: str) -> None:
    assert (IMAGES / name).read_text() == text(lists()[name]), "run `python -m tests.image_lists`"


def test_the_gateway_has_no_model_and_a_cpu_no_cuda() -> None:
    found = lists()
    assert not {"torch", "onnxruntime"} & set(found["gateway.txt"])
    assert not [name for name in found["worker.txt"] if for_gpu(name)]
    assert not LEFT_OUT & set(found["worker.txt"])


def test_every_package_has_a_version() -> None:
    pins = (IMAGES.parents[1] / "constraints.txt").read_text().lower().replace("_", "-")
    pinned = {line.partition("==")[0] for line in pins.splitlines()}
    for packages in lists().values():
        assert {name for name in packages if "==" not in name} <= pinned
