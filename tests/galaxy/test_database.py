"""The database of the sandbox's Galaxy: write-ahead log, kept connections, and the function of its job cache."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "galaxy" / "bin" / "python"
USE = """
import json, logging, sys
logging.basicConfig(level=logging.DEBUG)  # as Galaxy does
sys.path.append(sys.argv[1])
from sandbox.galaxy import database
from galaxy.model.orm.engine_factory import build_engine
from sqlalchemy import text

engine = build_engine(f"sqlite:///{sys.argv[2]}?isolation_level=IMMEDIATE&timeout=30")
seen, said = [], {}
for _ in range(2):
    with engine.begin() as connection:
        seen.append(id(connection.connection.dbapi_connection))
        said["journal"] = connection.execute(text("pragma journal_mode")).scalar()
        said["joined"] = connection.execute(text("select concat_ws(':', 'a', null, 2)")).scalar()
        said["nothing"] = connection.execute(text("select concat_ws(null, 'a')")).scalar()
at_once = [engine.connect() for _ in range(40)]
print(json.dumps(said | {"kept": seen[0] == seen[1], "at_once": len(at_once)}))
"""


def test_galaxys_connections_are_kept_and_prepared(tmp_path: Path) -> None:
    command = [str(PYTHON), "-P", "-c", USE, str(ROOT), str(tmp_path / "galaxy.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Connection <" not in done.stderr
    assert json.loads(done.stdout) == {"journal": "wal", "joined": "a:2", "nothing": None, "kept": True, "at_once": 40}
