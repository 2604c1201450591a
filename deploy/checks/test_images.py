"""The containers' files: hadolint, shellcheck, and what neither of them asks."""

import re
from pathlib import Path

import pytest
from conftest import DEPLOY, program, run

IMAGES = sorted(DEPLOY.glob("**/*Containerfile"))
RUNNING = [path for path in IMAGES if path.parent.name == "images"]


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_hadolint_has_nothing_to_say(path: Path) -> None:
    run(program("hadolint"), path)


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("**/*.sh")), ids=lambda path: path.name)
def test_shellcheck_has_nothing_to_say(path: Path) -> None:
    run(program("shellcheck"), path)


def test_all_images_have_one_base_and_its_digest() -> None:
    bases = {re.findall(r"^ARG BASE=(.*)$", path.read_text(), re.MULTILINE)[0] for path in RUNNING}
    assert len(bases) == 1
    assert re.search(r":[^:@]+@sha256:[0-9a-f]{64}$", bases.pop())


@pytest.mark.parametrize("path", RUNNING, ids=lambda path: path.name)
def test_an_image_is_built_in_stages_and_runs_without_rights(path: Path) -> None:
    text = path.read_text()
    final = text[text.rindex("\nFROM ") :]
    assert text.count("\nFROM ") == 2
    assert "\nUSER 10001:10001\n" in final
    assert '\nENTRYPOINT ["tini", "--", ' in final
    assert "\nHEALTHCHECK " in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert "pip install" not in final
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in final


@pytest.mark.parametrize("path", RUNNING, ids=lambda path: path.name)
def test_an_image_holds_the_list_of_its_packages(path: Path) -> None:
    text = path.read_text()
    assert "cyclonedx-py environment" in text
    assert "cp sbom.cdx.json /srv/antiphon/" in text
