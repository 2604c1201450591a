"""Remove one guarantee from the Lua scripts: the suite must then fail."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.log.lua_scripts import SCRIPTS

# ablation -> script -> (line that holds the guarantee, its replacement)
ABLATIONS: Final[Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]]] = {
    "fence": {
        "append": (("if newest_conn ~= conn then return {'fenced', last} end\n", ""),),
        "commit": (("if newest_owner ~= owner then return {'fenced', had_k} end\n", ""),),
        "release": (("if newest_owner ~= owner then return {'fenced', newest_owner} end\n", ""),),
    },
    "contiguity": {
        "append": (("if first > last + 1 then return {'gap', last} end\n", ""),),
        "commit": ((r"if first_step ~= had_k \+ 1 [^\n]*\n[^\n]*'gap'[^\n]*\nend\n", ""),),
    },
    "ttl": {
        "append": ((r"redis\.call\('EXPIRE'[^\n]*\n", ""),),
        "claim": ((r"redis\.call\('EXPIRE'[^\n]*\n", ""),),
        "commit": ((r"for i = 1, 4 do redis\.call\('EXPIRE'[^\n]*\n", ""),),
        "connect": ((r"redis\.call\('EXPIRE'[^\n]*\n", ""),),
        "open": ((r"redis\.call\('EXPIRE'[^\n]*\n", ""),),
    },
}


def write_scripts(ablation: str, folder: Path) -> Path:
    """Write all scripts into a folder, those of the ablation without their guarantee."""
    folder.mkdir(parents=True)
    changes = ABLATIONS[ablation]
    for script in SCRIPTS.glob("*.lua"):
        (folder / script.name).write_text(_without(script, changes.get(script.stem, ())))
    return folder


def _without(script: Path, changes: tuple[tuple[str, str], ...]) -> str:
    text = script.read_text()
    for line, replacement in changes:
        pattern = line if "\\" in line else re.escape(line)
        text, count = re.subn(pattern, replacement, text)
        if not count:
            raise ValueError(f"Expected {line!r} in {script.name}, got none: update the ablation")
    return text
