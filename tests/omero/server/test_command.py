"""The `omero` command, in processes of its own."""

import uuid

import pytest


def new(command, *arguments):
    """`omero obj new`; the object as `Class:id`."""
    return command("obj", "new", *arguments).strip()


def test_login_and_sessions(command):
    assert "user-" in command("sessions", "who")
    assert "user-" in command("sessions", "list")
    assert command("sessions", "key").strip()
    assert command("sessions", "logout", check=False)


def test_wrong_password(lab, command):
    user = lab.user(lab.group())
    said = command("login", f"{user}@{lab.server.host}:{lab.server.port}", "-w", "wrong", check=False)
    assert not said.startswith("0")


def test_objects_and_queries(command):
    project = new(command, "Project", "name=from the shell", "description=d")
    dataset = new(command, "Dataset", "name=inner")
    new(command, "ProjectDatasetLink", f"parent={project}", f"child={dataset}")
    assert "from the shell" in command("obj", "get", project)
    command("obj", "update", dataset, "name=renamed")
    assert command("obj", "get", dataset, "name").strip() == "renamed"
    listed = command("hql", "-q", "--style=plain", "select d.id, d.name from Dataset d order by d.id")
    assert "renamed" in listed
    pairs = new(command, "MapAnnotation", "ns=test")
    command("obj", "map-set", pairs, "mapValue", "key", "value")
    assert command("obj", "map-get", pairs, "mapValue", "key").strip() == "value"


def test_bad_query_is_an_error(command):
    said = command("hql", "-q", "--style=plain", "select x from Nothing x", check=False)
    assert "Nothing" in said
    assert not said.startswith("0 ")


def test_delete_with_dry_run(command):
    dataset = new(command, "Dataset", "name=gone soon")
    said = command("delete", dataset, "--dry-run", "--report")
    assert dataset in said
    assert "gone soon" in command("obj", "get", dataset)
    command("delete", dataset, "--report")
    assert not command("obj", "get", dataset, check=False).startswith("0 ")
    assert "No such object" in command("delete", "Image:999999999", check=False)


def test_delete_children_only(command):
    project, dataset = new(command, "Project", "name=p"), new(command, "Dataset", "name=d")
    new(command, "ProjectDatasetLink", f"parent={project}", f"child={dataset}")
    command("delete", f"{project.replace(':', '/Dataset:')}")
    assert not command("obj", "get", dataset, check=False).startswith("0 ")
    assert "p" in command("obj", "get", project)


def test_tags(command):
    dataset = new(command, "Dataset", "name=tagged")
    name = f"tag-{uuid.uuid4()}"
    command("tag", "create", "--name", name, "--desc", "what for")
    listed = command("tag", "list", "--nopage")
    assert name in listed
    number = command("hql", "-q", "--style=plain", "select t.id from TagAnnotation t").split(",")[1].strip()
    command("tag", "link", dataset, number)
    links = command("hql", "-q", "--style=plain", "select l.parent.id from DatasetAnnotationLink l")
    assert dataset.split(":")[1] in links
    command("tag", "createset", "--tag", number, "--name", "a set")
    assert "a set" in command("tag", "listsets", "--nopage")


def test_upload_and_download(command, tmp_path):
    (tmp_path / "data.csv").write_bytes(bytes(range(256)) * 1000)
    uploaded = command("upload", str(tmp_path / "data.csv")).strip().splitlines()[-1]
    assert uploaded.startswith("OriginalFile:")
    command("download", uploaded, str(tmp_path / "again.csv"))
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "data.csv").read_bytes()


def test_chgrp(lab, tmp_path):
    from tests.omero.lab import log_in

    first, second = lab.group(), lab.group()
    command = log_in(lab, lab.user(first, second), tmp_path)
    dataset = new(command, "Dataset", "name=moving")
    command("chgrp", second, dataset)
    query = f"select d.details.group.name from Dataset d where d.id = {dataset.split(':')[1]}"
    assert second in command("hql", "-q", "--style=plain", "--all", query)


def test_search(command):
    word = uuid.uuid4().hex[:12]
    dataset = new(command, "Dataset", f"name=findme {word}")
    assert dataset.split(":")[1] in command("search", "--style=plain", "Dataset", f"{word}*")


@pytest.fixture
def root_command(lab, tmp_path):
    from tests.omero.lab import log_in

    return log_in(lab, "root", tmp_path, lab.server.root_password)


def test_users_and_groups(root_command):
    group, user = f"g-{uuid.uuid4()}", f"u-{uuid.uuid4()}"
    root_command("group", "add", group, "--type", "read-annotate")
    root_command("user", "add", user, "Ada", "Test", group, "-P", "pw")
    assert group in root_command("group", "list")
    assert user in root_command("user", "list")
    other = f"g-{uuid.uuid4()}"
    root_command("group", "add", other)
    root_command("user", "joingroup", "--name", user, "--group-name", other)
    root_command("user", "leavegroup", "--name", user, "--group-name", other)
    root_command("group", "perms", "--name", group, "--type", "read-only")
    assert "rwr---" in root_command("group", "list")


def test_fs(root_command):
    assert "ManagedRepository" in root_command("fs", "repos")
    root_command("fs", "sets")
    root_command("fs", "images")
