"""How the sandbox's Galaxy counts the distinct values of images: as the released Galaxy does, whatever the file."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "galaxy" / "bin" / "python"
COUNT = """
import json, sys
from pathlib import Path
from types import SimpleNamespace

sys.path.append(sys.argv[1])
import galaxy.datatypes.images as images
if sys.argv[3] == "ours":
    from sandbox.galaxy import image_values
class Unset(SimpleNamespace):
    def __getattr__(self, name):
        if name == "offsets": raise AttributeError(name)  # a part of this metadata that datasets of the test lack
found = {}
for file in sorted(Path(sys.argv[2]).iterdir()):
    dataset = SimpleNamespace(get_file_name=lambda: str(file), metadata=Unset(spec={}))
    try:
        (images.Png if file.suffix == ".png" else images.Tiff)().set_meta(dataset)
    except Exception:
        dataset.metadata.error = True  # as before it: the file is cut
    found[file.name] = {name: value for name, value in vars(dataset.metadata).items() if name != "spec"}
print(json.dumps(found))
"""
WRITE = """
import sys
from pathlib import Path
import numpy as np, tifffile
from PIL import Image

folder, random = Path(sys.argv[1]), np.random.default_rng(3)
grey = random.integers(0, 200, (37, 53)).astype(np.uint8)
colour = Image.fromarray(random.integers(0, 90, (37, 53, 3)).astype(np.uint8))
Image.fromarray(grey).save(folder / "grey.png")
colour.save(folder / "colour.png")
colour.convert("RGBA").save(folder / "alpha.png")
colour.quantize(30).save(folder / "palette.png")
colour.quantize(30).save(folder / "transparent.png", transparency=3)
Image.fromarray(grey > 90).save(folder / "bits.png")
Image.fromarray(grey.astype(np.uint16) * 300).save(folder / "deep.png")
(folder / "broken.png").write_bytes(b"no image")
(folder / "cut.png").write_bytes((folder / "grey.png").read_bytes()[:-40])
for name, pixels in {"grey": grey, "deep": grey.astype(np.uint16) * 300, "real": grey / 7, "yes": grey > 90}.items():
    for rows in (8, 37):
        tifffile.imwrite(folder / f"{name}{rows}.tiff", np.stack([pixels, pixels[::-1]]), rowsperstrip=rows)
real = (grey / 7).astype(np.float32)
real[3, 4] = real[30, 4] = np.nan
tifffile.imwrite(folder / "nan.tiff", real, rowsperstrip=8)
tifffile.imwrite(folder / "packed.tiff", grey, compression="zlib", rowsperstrip=8)
(folder / "broken.tiff").write_bytes(b"II*\\0")
"""


def _counted(folder: Path, whose: str) -> dict[str, dict[str, object]]:
    command = [str(PYTHON), "-P", "-c", COUNT, str(ROOT), str(folder), whose]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def test_counts_of_values_are_those_of_the_released_galaxy(tmp_path: Path) -> None:
    subprocess.run([str(PYTHON), "-P", "-c", WRITE, str(tmp_path)], check=True)
    ours = _counted(tmp_path, "ours")
    assert ours == _counted(tmp_path, "released")
    assert ours["grey.png"]["num_unique_values"] == ours["grey8.tiff"]["num_unique_values"] == 200
    assert [name for name, said in ours.items() if "error" in said] == ["cut.png"]
