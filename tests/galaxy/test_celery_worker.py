"""The worker's reader of message files; it runs in Galaxy's environment, where kombu is."""

import subprocess

from sandbox.process import ROOT

CHECK = """
import sys
sys.path.insert(0, {folder!r})
from queue import Empty
from types import SimpleNamespace
import celery_worker

class Reader(celery_worker.Channel):
    def __init__(self, folder): self.data_folder_in = folder
    data_folder_in = None
    def __del__(self): pass

reader = Reader({messages!r})
found = []
while True:
    try: found.append(reader._get("galaxy.internal"))
    except Empty: break
print(found)
"""


def test_a_message_that_is_not_written_yet_is_left_and_the_others_are_read_in_order(tmp_path):
    (tmp_path / "1_a.galaxy.internal.msg").touch()
    (tmp_path / "3_b.galaxy.internal.msg").write_text('{"n": 3}')
    (tmp_path / "2_c.galaxy.internal.msg").write_text('{"n": 2}')
    (tmp_path / "0_d.galaxy.external.msg").write_text('{"n": 0}')
    code = CHECK.format(folder=str(ROOT / "sandbox" / "galaxy"), messages=str(tmp_path))
    python = ROOT / ".venv" / "galaxy" / "bin" / "python"
    answer = subprocess.run([str(python), "-P", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[{'n': 2}, {'n': 3}]"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0_d.galaxy.external.msg", "1_a.galaxy.internal.msg"]


WARM = """
import sys, types
sys.path.insert(0, {folder!r})
sys.modules["galaxy.celery"] = types.SimpleNamespace(build_app=lambda: print("built", flush=True))
import celery_worker, threading
from celery.signals import worker_ready
worker_ready.send(sender=None)
for one in threading.enumerate():
    if one.name == "warm-up": one.join()
"""


def test_galaxys_application_is_made_before_the_first_task():
    code = WARM.format(folder=str(ROOT / "sandbox" / "galaxy"))
    python = ROOT / ".venv" / "galaxy" / "bin" / "python"
    answer = subprocess.run([str(python), "-P", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "built\n"
