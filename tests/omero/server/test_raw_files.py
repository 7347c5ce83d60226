"""Files and tables over the wire, by unmodified omero-py."""

import hashlib
import io
import threading

import pytest

pytest.importorskip("omero.clients")
import omero.all
from omero.rtypes import rint, rlong, rstring

CONTENT = bytes(range(256)) * 12000  # more than one chunk of the gateway's 2.6 MB


@pytest.fixture
def attachment(gateway, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    return gateway.createFileAnnfromLocalFile(str(path), mimetype="application/x-thing", ns="test", desc="bytes")


def new_file(gateway, name="new.txt"):
    file = omero.model.OriginalFileI()
    file.name, file.path, file.mimetype = rstring(name), rstring("/"), rstring("text/plain")
    return gateway.getUpdateService().saveAndReturnObject(file)


def test_attachment_comes_back(gateway, attachment):
    found = gateway.getObject("FileAnnotation", attachment.getId())
    assert b"".join(found.getFileInChunks()) == CONTENT
    assert found.getFile().getSize() == len(CONTENT)
    assert found.getFile().getHash() == hashlib.sha1(CONTENT).hexdigest()
    assert found.getFile().getMimetype() == "application/x-thing"
    with found.getFile().asFileObj() as opened:
        opened.seek(1000)
        assert opened.read(10) == CONTENT[1000:1010]


def test_client_upload_and_download(gateway, tmp_path):
    path = tmp_path / "u.bin"
    path.write_bytes(CONTENT)
    file = gateway.c.upload(str(path))
    target = io.BytesIO()
    gateway.c.download(file, filehandle=target)
    assert target.getvalue() == CONTENT


def test_write_read_truncate(gateway):
    file = new_file(gateway)
    store = gateway.c.sf.createRawFileStore()
    store.setFileId(file.id.val)
    assert not store.exists()
    store.write(b"hello world", 0, 11)
    store.write(b"HE!!", 0, 2)
    assert store.exists()
    assert store.read(0, 100) == b"HEllo world"
    assert store.read(100, 5) == b""
    assert store.size() == 11
    assert store.truncate(5)
    assert not store.truncate(50)
    saved = store.save()
    assert saved.size.val == 5
    assert saved.hash.val == hashlib.sha1(b"HEllo").hexdigest()
    assert store.save() is None
    assert store.getFileId().val == file.id.val
    store.close()


def test_bad_file_calls(gateway):
    store = gateway.c.sf.createRawFileStore()
    for call in (store.size, store.exists, lambda: store.read(0, 1), lambda: store.write(b"a", 0, 1)):
        with pytest.raises(omero.ApiUsageException):
            call()
    with pytest.raises(omero.ValidationException):
        store.setFileId(10**9)
    store.setFileId(new_file(gateway).id.val)
    with pytest.raises(omero.ResourceError):
        store.read(0, 1)
    for bad in ((b"abc", -1, 3), (b"abc", 0, 4), (b"abc", 0, -1), (b"abc", 10**12, 3)):
        with pytest.raises(omero.ApiUsageException):
            store.write(*bad)
    for bad in ((-1, 1), (0, -1), (0, 2**31 - 1)):
        with pytest.raises(omero.ApiUsageException):
            store.read(*bad)
    store.close()


COLUMNS = {
    "FileColumn": [1, 2, 3],
    "ImageColumn": [4, 5, 6],
    "DatasetColumn": [4, 5, 6],
    "RoiColumn": [7, 8, 9],
    "WellColumn": [1, 1, 1],
    "PlateColumn": [2, 2, 2],
    "BoolColumn": [True, False, True],
    "DoubleColumn": [0.5, -1.5, 1e300],
    "LongColumn": [-(2**60), 0, 2**60],
}


def all_columns():
    grid = omero.grid
    columns = [getattr(grid, kind)(kind[0].lower() + kind[1:], "text", values) for kind, values in COLUMNS.items()]
    columns.append(grid.StringColumn("string", "", 20, ["a", "bb", "ccc äöü"]))
    columns.append(grid.LongArrayColumn("longs", "", 2, [[1, 2], [3, 4], [5, 6]]))
    columns.append(grid.FloatArrayColumn("floats", "", 2, [[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]]))
    columns.append(grid.DoubleArrayColumn("doubles", "", 1, [[0.25], [1.25], [2.25]]))
    columns.append(grid.MaskColumn("mask", "", *([[1, 2, 3]] * 3), *([[0.5, 1.5, 2.5]] * 4), [b"a", b"bc", b""]))
    return columns


@pytest.fixture
def new_table(gateway):
    opened = []

    def make(columns, name="t.h5"):
        table = gateway.c.sf.sharedResources().newTable(0, name)
        opened.append(table)
        table.initialize(columns)
        return table

    yield make
    for table in opened:
        try:
            table.close()
        except Exception:  # closed by the test
            continue


def test_a_server_that_warns_of_many_names_goes_on(new_table):
    """PyTables warns of each of these names on standard error: more than a pipe holds that nobody reads."""
    table = new_table([omero.grid.LongColumn(f"not a name {number}", "", [1]) for number in range(600)])
    assert len(table.getHeaders()) == 600


def test_every_kind_of_column(gateway, new_table):
    assert gateway.c.sf.sharedResources().areTablesEnabled()
    table = new_table(all_columns())
    table.addData(all_columns())
    file = table.getOriginalFile()
    table.close()
    again = gateway.c.sf.sharedResources().openTable(file)
    assert again.getNumberOfRows() == 3
    names = [column.name for column in again.getHeaders()]
    read = {column.name: column for column in again.read(list(range(len(names))), 0, 3).columns}
    for column in all_columns():
        if hasattr(column, "values"):
            assert read[column.name].values == column.values
    assert read["mask"].bytes == [b"a", b"bc", b""]
    again.close()
    stored = gateway.getObject("OriginalFile", file.id.val)
    assert stored.getSize() > 0
    assert stored.getMimetype() == "OMERO.tables"


def small(values):
    return [omero.grid.LongColumn("id", "", list(values)), omero.grid.DoubleColumn("area", "", [v / 2 for v in values])]


def test_append_query_slice_update(new_table):
    table = new_table(small([]))
    for start in range(0, 3000, 1000):
        table.addData(small(range(start, start + 1000)))
    assert table.getNumberOfRows() == 3000
    assert table.getWhereList("(id >= 10) & (area < 7)", None, 0, 3000, 1) == [10, 11, 12, 13]
    assert table.getWhereList("id == wanted", {"wanted": rlong(2999)}, 0, 3000, 1) == [2999]
    assert table.readCoordinates([5, 2500]).columns[1].values == [2.5, 1250.0]
    assert table.slice([0], [1, 3]).columns[0].values == [1, 3]
    data = table.readCoordinates([7])
    data.columns[1].values = [-1.5]
    table.update(data)
    assert table.getWhereList("area == -1.5", None, 0, 3000, 1) == [7]
    with pytest.raises(omero.ApiUsageException):
        table.read([9], 0, 1)
    with pytest.raises(omero.ApiUsageException):
        table.slice([0], [3000])


def test_metadata(new_table):
    table = new_table(small([]))
    table.setMetadata("key", rstring("value"))
    table.setMetadata("number", rint(7))
    assert table.getMetadata("key").val == "value"
    assert {"key", "number"} <= set(table.getAllMetadata())
    table.setAllMetadata({"other": rstring("one")})
    assert table.getMetadata("key") is None


def test_readers_at_once(gateway, new_table):
    table = new_table(small([]))
    table.addData(small(range(500)))
    file = table.getOriginalFile()
    results = []

    def read():
        opened = gateway.c.sf.sharedResources().openTable(file)
        for _ in range(5):
            results.append(sum(opened.read([0], 0, 500).columns[0].values))
        opened.close()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [sum(range(500))] * 20


def test_readers_and_a_writer_of_sessions_of_their_own(lab):
    group = lab.group("rwr---")
    user = lab.user(group)
    writer = lab.connect(user).c.sf.sharedResources().newTable(0, "shared.h5")
    writer.initialize(small([]))
    writer.addData(small(range(1000)))
    file, failures, written = writer.getOriginalFile(), [], threading.Event()
    gateways = [lab.connect(name) for name in (user, user, lab.user(group), lab.user(group))]

    def read(gateway):
        try:
            table = gateway.c.sf.sharedResources().openTable(file)
            more = True
            while more:
                more = not written.is_set()  # a last round after the last row was written
                rows = table.getNumberOfRows()
                assert table.read([0], 990, rows).columns[0].values == list(range(990, rows))
                assert table.getWhereList("(id >= 500) & (id < 503)", None, 0, rows, 1) == [500, 501, 502]
                assert table.slice([1], [2, 999]).columns[0].values == [1, 499.5]
            assert rows == 2000
            table.close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(gateway,)) for gateway in gateways]
    for thread in threads:
        thread.start()
    for start in range(1000, 2000, 50):
        writer.addData(small(range(start, start + 50)))
    written.set()
    for thread in threads:
        thread.join()
    assert failures == []
    member = gateways[-1].c.sf.sharedResources().openTable(file)
    for attempt in (lambda: member.addData(small([1])), member.delete, lambda: member.setMetadata("a", rint(1))):
        with pytest.raises(omero.SecurityViolation):
            attempt()
    assert member.getNumberOfRows() == 2000


def test_a_table_that_somebody_deletes_meanwhile(lab):
    group = lab.group()
    user = lab.user(group)
    first, second = lab.connect(user), omero.client(lab.server.host, lab.server.port)
    second.createSession(user, lab.password)
    table = first.c.sf.sharedResources().newTable(0, "gone.h5")
    table.initialize(small([]))
    table.addData(small([1, 2]))
    other = second.sf.sharedResources().openTable(table.getOriginalFile())
    table.delete()
    assert other.getNumberOfRows() == 2  # as OMERO: who has it open reads on
    session = second.getSessionId()
    second.closeSession()  # this failed, and the session stayed
    with pytest.raises(omero.RemovedSessionException):
        lab.root.c.sf.getSessionService().getSession(session)


def test_no_such_table_and_no_table_at_all(gateway):
    resources = gateway.c.sf.sharedResources()
    with pytest.raises(omero.ValidationException):
        resources.openTable(omero.model.OriginalFileI(10**9, False))
    with pytest.raises(omero.ApiUsageException):
        resources.openTable(new_file(gateway))
    table = resources.newTable(0, "empty.h5")
    with pytest.raises(omero.ApiUsageException):
        table.getHeaders()
    with pytest.raises(omero.ApiUsageException):
        table.initialize([])
    table.close()


def test_delete_of_a_table(gateway, new_table):
    table = new_table(small([]))
    file = table.getOriginalFile()
    table.delete()
    assert gateway.getObject("OriginalFile", file.id.val) is None
