"""A proxy of any interface, and what it answers to a call; for one administrator who may throw himself out."""

import keyword
import uuid
from contextlib import ExitStack

import Ice
import omero
import omero.clients
from omero.rtypes import rstring

from tests.omero.nonsense import UNKNOWN

SECONDS = 20  # so long nothing takes on the busiest machine; what takes longer hangs
# omero.tables is OMERO's own code, and answers so to much that PyTables does not take.
INTERNAL_IS_FINE = {"omero.grid.Table"}
NOT_MADE = {"omero.api.JobHandle"}


class Person:
    """An administrator of one test, who comes back after having thrown himself out."""

    def __init__(self, server, root):
        self.server = server
        self.root = root
        self.stack = ExitStack()
        admin = omero.model.ExperimenterI()
        admin.omeName, admin.firstName, admin.lastName = (rstring(t) for t in (f"n-{uuid.uuid4()}", "N", "N"))
        self.name = admin.omeName.val
        self.user_id = root.getSession().getAdminService().createSystemUser(admin)
        self.client = self.join()

    def join(self):
        principal = omero.sys.Principal(self.name, None, "Test", None)
        service = self.root.getSession().getSessionService()
        made = omero.client(self.server.host, self.server.port)
        self.stack.callback(made.__del__)
        made.joinSession(service.createSessionWithTimeouts(principal, 0, 600_000).uuid.val)
        return made

    def come_back(self):
        try:
            self.client.getSession().keepAlive(None)
        except (Ice.Exception, omero.ClientError):
            self.client = self.join()
        return self.client.getSession()


def pixels_of(session):
    kind = omero.model.PixelsTypeI()
    kind.value = rstring("uint16")
    image = session.getPixelsService().createImage(30, 20, 2, 1, [0, 1], kind, "nonsense", "").val
    return session.getQueryService().findByQuery(f"from Pixels p where p.image.id = {image}", None).id.val


def new_file(session):
    file = omero.model.OriginalFileI()
    file.name, file.path = rstring("f"), rstring("/")
    return session.getUpdateService().saveAndReturnObject(file).id.val


def repository(client):
    from sandbox.omero.client_import import managed_repository

    return managed_repository(client)


def new_table(session):
    made = session.sharedResources().newTable(0, "nonsense.h5")
    made.initialize([omero.grid.LongColumn("a", "", [])])
    made.addData([omero.grid.LongColumn("a", "", [1, 2, 3])])
    return made


def proxy_of(interface, client, empty=False):
    """A proxy of the interface; a stateful service has its pixels, file or table unless it shall be empty."""
    session, name = client.getSession(), interface.rpartition(".")[2]
    special = {
        "ServiceFactory": lambda: session,
        "Router": lambda: client.getRouter(client.getCommunicator()),
        "SharedResources": session.sharedResources,
        "ManagedRepository": lambda: repository(client),
        "ImportProcess": lambda: repository(client).importPaths(["nonsense.tif"]),
        "Handle": lambda: session.submit(omero.cmd.Delete2(targetObjects={"Image": [UNKNOWN]})),
        "Table": lambda: new_table(session),
        "Search": session.createSearchService,
    }
    if name in special:
        return special[name]()
    if name.startswith("I"):
        return getattr(session, f"get{name[1:]}Service")()
    made = getattr(session, f"create{name}")()
    if empty:
        return made
    if name == "RawPixelsStore":
        made.setPixelsId(pixels_of(session), True)
    elif name == "ThumbnailStore":
        made.setPixelsId(pixels_of(session))
    elif name == "RenderingEngine":
        made.lookupPixels(pixels_of(session))
        made.resetDefaultSettings(True)
    elif name == "RawFileStore":
        made.setFileId(new_file(session))
    return made


def method(proxy, operation):
    name = f"_{operation}" if keyword.iskeyword(operation) else operation
    return getattr(proxy.ice_invocationTimeout(SECONDS * 1000), name)


def what_is_wrong(interface, call):
    """Call; "" for a good answer, "gone" when the service is no longer there, or else what came instead."""
    try:
        call()
    except omero.InternalException as error:
        return "" if interface in INTERNAL_IS_FINE else f"InternalException {error.message}"
    except Ice.ObjectNotExistException:
        return "gone"
    except Ice.UserException:  # all of OMERO's are
        return ""
    except Exception as error:
        return f"{type(error).__name__} {error}"
    return ""
