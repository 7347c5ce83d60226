"""Subcommands of `omero` that no other test runs, many in one process of the clients' environment, as scripts do.

The commands most used run in processes of their own: test_command.py, test_client_command.py, test_client_import.py.
"""

import numpy as np
import pytest
import tifffile

pytest.importorskip("omero.clients")

from tests.omero.client_processes import clients_of

RUN = """
import contextlib, io, json, omero.cli
cli = omero.cli.CLI()
cli.loadplugins()

def o(*arguments, fails=False):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            cli.invoke([*map(str, arguments)], strict=True)
            code = 0
        except (SystemExit, omero.cli.NonZeroReturnCode) as end:
            code = end.code if isinstance(end, SystemExit) else end.rv
    text = "\\n".join(line for line in said.getvalue().splitlines() if not line.startswith("Using session"))
    assert bool(code) == fails and "Traceback" not in text, (arguments, code, text)
    return text.strip()

def rows(query):
    return unwrap(conn.getQueryService().projection(query, None))
"""

OBJECTS = """
project, dataset = o("obj", "new", "Project", "name=p", "description=d"), o("obj", "new", "Dataset", "name=unique name")
link = o("obj", "new", "ProjectDatasetLink", f"parent={project}", f"child={dataset}")
o("obj", "null", project, "description")
assert o("obj", "get", project, "description") == "" and "name=p" in o("obj", "get", project)
pairs = o("obj", "new", "MapAnnotation", "ns=t")
o("obj", "map-set", pairs, "mapValue", "k", "v")
assert o("obj", "list-get", pairs, "mapValue", "0") == "(k,v)"
assert "Image:99999999" in o("obj", "get", "Image:99999999", fails=True)
o("obj", "ext-info-set", dataset, "7", "Organ")
assert rows("select e.entityType, e.entityId from Dataset d join d.details.externalInfo e") == [["Organ", 7]]
assert dataset.split(":")[1] in o("hql", "--style=plain", "--limit", "1", "select d from Dataset d")
assert o("hql", "--style=plain", "--ids-only", "select d from Dataset d") == f"0,DatasetI:{dataset.split(':')[1]}"
json.dump([{"name": "set", "desc": "d", "set": [{"name": "inner", "desc": "1"}]}, {"name": "lone", "desc": ""}],
          open("tags.json", "w"))
o("tag", "load", "tags.json")
listed = o("tag", "list", "--nopage", "--desc")
assert all(name in listed for name in ("set", "inner", "lone")), listed
assert "set" in o("tag", "listsets", "--nopage")
((tag_set,),) = rows("select t.id from TagAnnotation t where t.textValue = 'set'")
assert "inner" in o("tag", "list", "--nopage", "--tagset", tag_set)
found = o("search", "Dataset", "unique*", "--from", "2020-01-01", "--to", "2050-01-01", "--date-type", "import")
assert "unique name" in found and "No results" in o("search", "Image", "nothing", fails=True)
assert f"{link} " in o("delete", dataset, "--dry-run", "--report").replace("\\n", " ") + " "
o("delete", project.replace(":", "/Dataset:"))
assert rows("select count(d.id) from Dataset d") == [[0]] and rows("select count(p.id) from Project p") == [[1]]
"""

FILES = """
o("import", "a.ome.tif")
((fileset, number, size),) = rows("select i.fileset.id, i.id, o.size from Image i, FilesetEntry e join e.originalFile o"
                                  " where e.fileset = i.fileset")
image = f"Image:{number}"
os.mkdir("set"); o("download", image, "one.tif"); o("download", f"Fileset:{fileset}", "set")
original = open("a.ome.tif", "rb").read()
assert open("one.tif/a.ome.tif" if os.path.isdir("one.tif") else "one.tif", "rb").read() == original
assert open("set/a.ome.tif", "rb").read() == original
open("n.txt", "w").write("notes"); open("m.txt", "w").write("more")
uploaded = o("upload", "n.txt", "m.txt").splitlines()[-1]
first, second = uploaded.removeprefix("OriginalFile:").split(",")
note = o("obj", "new", "FileAnnotation", f"file=OriginalFile:{first}")
o("download", note, "back.txt"); assert open("back.txt").read() == "notes"
assert "No OriginalFile" in o("download", "OriginalFile:99999999", "x", fails=True)
for target in ((), (f"Experimenter:{conn.getUserId()}",), (f"ExperimenterGroup:{conn.getGroupFromContext().getId()}",)):
    used = int(o("fs", "usage", "--size-only", *target))
    assert used >= size + len("notesmore"), (target, used)
assert int(o("fs", "usage", "--size-only", image)) < used
assert "a.ome.tif" in o("fs", "logfile", f"Fileset:{fileset}")
assert o("fs", "logfile", "--name", f"Fileset:{fileset}").endswith(".log")
assert "Admins only" in o("fs", "mkdir", "new", fails=True)
roi = ezomero.post_roi(conn, number, [ezomero.rois.Point(1, 1)])
assert o("metadata", "allanns", image) == "" and o("metadata", "measures", image) == ""
assert o("metadata", "rois", image) == f"Roi:{roi}" and "Name: a.ome.tif" in o("metadata", "summary", image)
o("metadata", "testtables")
assert float(o("sessions", "timeout").splitlines()[-1]) == 600
o("sessions", "timeout", "300"); assert float(o("sessions", "timeout").splitlines()[-1]) == 300
assert os.path.isfile(o("sessions", "file"))
"""

PEOPLE = """
from uuid import uuid4
word = uuid4().hex[:8]
first, second, ada = f"g-{word}", f"h-{word}", f"a-{word}"
o("group", "add", first, "--type", "read-annotate"); o("group", "add", second)
assert "Group exists" in o("group", "add", first, "--ignore-existing")
o("user", "add", ada, "Ada", "Test", first, "-P", "pw", "-e", f"{word}@x.org", "-m", "M", "-i", "Institute")
assert word in o("user", "info", ada) and word in o("user", "email", "-1", "-i")
assert first in o("user", "listgroups", ada) and ada in o("group", "listusers", first)
assert first in o("group", "info", first)
o("group", "adduser", "--name", second, ada, "--as-owner")
((user,),) = rows(f"select e.id from Experimenter e where e.omeName = '{ada}'")
owners = "select m.owner from GroupExperimenterMap m where m.parent.name = '%s' and m.child.id = %d"
assert rows(owners % (second, user)) == [[True]]
o("group", "removeuser", "--name", second, ada); assert rows(owners % (second, user)) == []
o("group", "copyusers", first, second); assert rows(owners % (second, user)) == [[False]]
key = o("sessions", "open", "--user-name", ada, "--group-name", second).split()[-1].strip(".'")
joined = omero.client(os.environ["T_HOST"], int(os.environ["T_PORT"]))
assert joined.joinSession(key).getAdminService().getEventContext().userName == ada
joined.closeSession()
o("sessions", "group", first); o("sessions", "group", "0")
assert "root" in o("sessions", "who") and first in o("group", "list", "--long")
assert "Missing" not in o("fs", "sets", "--check")
"""


def test_objects_queries_tags_search_and_delete(clients):
    clients.python(RUN + OBJECTS)


def test_files_disk_usage_and_metadata(clients):
    tifffile.imwrite(clients.folder / "a.ome.tif", np.zeros((8, 9), np.uint8))
    clients.python(RUN + FILES)


def test_users_groups_and_sessions(client_lab, tmp_path_factory):
    root = clients_of(client_lab, "root", tmp_path_factory.mktemp("root"), client_lab.server.root_password)
    root.python(RUN + PEOPLE)
