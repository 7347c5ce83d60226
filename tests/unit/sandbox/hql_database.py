"""Small databases to ask in HQL, and how to ask them."""

import omero
import omero.all

from sandbox.omero.access.context import Context
from sandbox.omero.database.seed import seed
from sandbox.omero.database.transactions import Database
from sandbox.omero.database.users import load_directory
from sandbox.omero.hql import queries


def context_of(database, **changes):
    with database.read() as tx:
        directory = load_directory(tx)
    fields = {
        "user_id": 0,
        "group_id": 0,
        "all_groups": False,
        "is_admin": True,
        "privileges": frozenset({"WriteOwned"}),
        "member_of": frozenset({0, 1}),
        "leader_of": frozenset(),
        "session_row_id": None,
        "directory": directory,
    }
    return Context(**fields | changes)


def run(database, text, **parameters):
    """The plain values of a projection."""
    from omero.rtypes import unwrap, wrap

    given_parameters = omero.sys.ParametersI()
    given_parameters.map = {name: wrap(value) for name, value in parameters.items()}
    with database.read() as tx:
        rows = queries.projection(tx, context_of(database), text, given_parameters)
    return [[unwrap(value) if value is not None else None for value in row] for row in rows]


def new_database(folder) -> Database:
    """Return a database with nothing but what every server has."""
    database = Database(folder / "omero.sqlite")
    database.create_tables()
    with database.write() as tx:
        seed(tx, "root")
    return database


def fill(database) -> None:
    """Make two projects, three datasets, six images of which two are in two datasets, tags, pairs and ROIs."""
    context = context_of(database)
    with database.write(context) as tx:
        owner = tx.create("Session", uuid="s", owner=0, node=1, timeToIdle=0, timeToLive=0, started=0)
        assert owner
        projects = [tx.create("Project", name=n) for n in ("beta", "Alpha")]
        datasets = [
            tx.create("Dataset", name=n, description=d) for n, d in (("one", None), ("two", "x"), ("three", "%"))
        ]
        images = [tx.create("Image", name=f"im_{n}", series=n) for n in range(6)]
        for p, d in ((0, 0), (0, 1), (1, 1)):
            tx.create("ProjectDatasetLink", parent=projects[p], child=datasets[d])
        for d, i in ((0, 0), (0, 1), (0, 2), (1, 2), (1, 3), (2, 4)):
            tx.create("DatasetImageLink", parent=datasets[d], child=images[i])
        kind, order = tx.enum("PixelsType", "uint8"), tx.enum("DimensionOrder", "XYZCT")
        for n, image in enumerate(images[:4]):
            sizes = {f"size{a}": n + 1 for a in "XYZCT"}
            pixels = tx.create(
                "Pixels", image=image, pixelsType=kind, dimensionOrder=order, sha1="", **sizes,
                physicalSizeX=0.5, physicalSizeX_unit="MICROMETER",
            )  # fmt: skip
            for c in range(2):
                logical = tx.create("LogicalChannel", name=f"c{c}")
                tx.create("Channel", pixels=pixels, logicalChannel=logical)
        tag = tx.create("TagAnnotation", textValue="tag", ns="a")
        pairs = tx.create("MapAnnotation", ns="b", mapValue=[("gene", "TP53"), ("dose", "1"), ("gene", "x")])
        for image, annotation in ((0, tag), (1, tag), (1, pairs)):
            tx.create("ImageAnnotationLink", parent=images[image], child=annotation)
        roi = tx.create("Roi", image=images[0])
        tx.create("Point", roi=roi, x=1.0, y=2.0)
        tx.create("Rectangle", roi=roi, x=1.0, y=2.0, width=3.0, height=4.0)
