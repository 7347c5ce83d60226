"""Commands behind their handles: steps, callbacks, cancelling, and how they end."""

import contextlib
import threading
import time

import Ice
import omero
import pytest
from omero.callbacks import CmdCallbackI
from omero.rtypes import rstring, unwrap

ALL = {"omero.group": "-1"}
SECONDS = 60  # far above what any command here takes
ENDLESS = {"steps": 100, "millisPerStep": 100}  # 10 s, unless it is cancelled


class Listener(CmdCallbackI):
    """Notes what the server tells of a command."""

    def __init__(self, client, handle):
        self.steps, self.stepped, self.calls = [], threading.Event(), []
        super().__init__(client, handle)

    def step(self, complete, total, _current=None):
        self.steps.append((complete, total))
        self.stepped.set()

    def finished(self, rsp, status, current=None):
        self.calls.append("server" if current is not None else "poll")
        super().finished(rsp, status, current)


def listen(gateway, request):
    return Listener(gateway.c, gateway.c.sf.submit(request, ALL))


def end_of(listener):
    listener.loop(SECONDS, 1000)
    return listener.getResponse(), listener.getStatus()


def dataset(gateway, name="d"):
    made = omero.model.DatasetI()
    made.name = rstring(name)
    return gateway.getUpdateService().saveAndReturnObject(made).id.val


def names(gateway):
    rows = gateway.getQueryService().projection("select d.name from Dataset d order by d.id", None)
    return [row[0] for row in unwrap(rows)]


def test_a_callback_hears_of_steps_and_a_command_can_be_cancelled_on_its_way(gateway):
    dataset(gateway, "stays")
    target = dataset(gateway, "would go")
    delete = omero.cmd.Delete2(targetObjects={"Dataset": [target]})
    listener = listen(gateway, omero.cmd.DoAll([delete, omero.cmd.Timing(**ENDLESS)]))
    assert listener.stepped.wait(SECONDS)
    assert listener.handle.getResponse() is None
    assert listener.handle.getStatus().steps == 103
    assert listener.handle.cancel() is True
    response, status = end_of(listener)
    assert isinstance(response, omero.cmd.ERR)
    assert listener.isCancelled()
    assert 0 < status.currentStep < status.steps
    # Each step once; in any order, as OMERO's client hears on up to 50 threads (omero/clients.py).
    heard = [done for done, _ in listener.steps]
    assert len(set(heard)) == len(heard)
    assert set(heard) <= set(range(1, status.currentStep + 1))
    assert {total for _, total in listener.steps} == {103}
    assert names(gateway) == ["stays", "would go"]
    assert listener.handle.cancel() is False  # it has ended


def test_a_command_that_waits_for_its_turn_can_be_cancelled(gateway):
    # More than the server has workers for, so that the last has not begun.
    ahead = [gateway.c.sf.submit(omero.cmd.Timing(**ENDLESS)) for _ in range(8)]
    target = dataset(gateway)
    last = listen(gateway, omero.cmd.Delete2(targetObjects={"Dataset": [target]}))
    assert last.handle.cancel() is True
    assert end_of(last)[1].flags == [omero.cmd.State.CANCELLED]
    assert all(handle.cancel() for handle in reversed(ahead))
    assert names(gateway) == ["d"]


def test_those_who_write_do_not_wait_for_a_command_that_only_looks(gateway):
    handle = gateway.c.sf.submit(omero.cmd.Timing(**ENDLESS))
    dataset(gateway)
    assert handle.getResponse() is None
    assert handle.cancel()


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize("kind", ["Delete2", "Chgrp2", "Chown2", "Duplicate", "SkipHead"])
def test_every_change_goes_by_steps_to_its_end(lab, kind, dry):
    group, other = lab.group("rwra--"), lab.group("rwra--")
    owner, heir = lab.user(group, other), lab.user(group)
    gateway, admin = lab.connect(owner), lab.root.getAdminService()
    options = {
        "Chgrp2": {"groupId": admin.lookupGroup(other).id.val},
        "Chown2": {"userId": admin.lookupExperimenter(heir).id.val},
        "SkipHead": {"startFrom": ["Dataset"], "request": omero.cmd.Delete2()},
    }
    targets = {"Dataset": [dataset(gateway)]}
    request = getattr(omero.cmd, kind)(targetObjects=targets, dryRun=dry, **options.get(kind, {}))
    asking = lab.root if kind == "Chown2" else gateway
    response, status = end_of(listen(asking, request))
    assert not isinstance(response, omero.cmd.ERR), response
    assert status.flags == []
    assert status.currentStep == status.steps == (2 if dry else 3) + (kind == "SkipHead")
    assert 0 < status.startTime <= status.stopTime
    assert len(status.stepStopTimes) == status.steps
    expected = {"Delete2": [], "SkipHead": [], "Chgrp2": [], "Chown2": ["d"], "Duplicate": ["d", "d"]}[kind]
    assert names(gateway) == (["d"] if dry else expected)


def test_what_comes_late_is_told_at_once_and_who_does_not_want_to_know_is_left_alone(gateway):
    listener = listen(gateway, omero.cmd.Delete2(targetObjects={"Dataset": [dataset(gateway)]}))
    end_of(listener)
    late = Listener(gateway.c, listener.handle)
    assert end_of(late)[0].deletedObjects == listener.getResponse().deletedObjects
    handle = gateway.c.sf.submit(omero.cmd.Timing(**ENDLESS))
    gone = Listener(gateway.c, handle)
    handle.removeCallback(gone.prx)
    assert handle.cancel()
    assert gone.calls == []


def test_a_client_that_leaves_does_not_stop_its_command(lab):
    group = lab.group()
    user = lab.user(group)
    first, second = lab.connect(user), lab.connect(user)
    target = dataset(second)
    listen(first, omero.cmd.DoAll([omero.cmd.Timing(5, 20), omero.cmd.Delete2(targetObjects={"Dataset": [target]})]))
    first.close()
    deadline = time.monotonic() + SECONDS
    while names(second) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert names(second) == []


def test_do_all_tells_of_each_request(gateway):
    targets = [dataset(gateway), dataset(gateway)]
    requests = [omero.cmd.Delete2(targetObjects={"Dataset": [target]}) for target in targets]
    response, status = end_of(listen(gateway, omero.cmd.DoAll([*requests, omero.cmd.Timing(2, 1)])))
    assert [type(below).__name__ for below in response.responses] == ["Delete2Response", "Delete2Response", "OK"]
    assert [(below.steps, below.currentStep) for below in response.status] == [(3, 3), (3, 3), (2, 2)]
    assert status.steps == 8


def test_a_failure_names_its_kind_and_leaves_the_step_where_it_was(lab):
    group = lab.group("rwr---")
    owner, member = lab.connect(lab.user(group)), lab.connect(lab.user(group))
    request = omero.cmd.Delete2(targetObjects={"Dataset": [dataset(owner)]})
    response, status = end_of(listen(member, request))
    assert (response.category, response.parameters["type"]) == (request.ice_id(), "SecurityViolation")
    assert (status.flags, status.currentStep) == ([omero.cmd.State.FAILURE], 1)


def test_a_request_within_itself_is_refused(gateway):
    endless = omero.cmd.DoAll()
    endless.requests = [endless]
    handle = gateway.c.sf.submit(endless)
    listener = Listener(gateway.c, handle)
    assert end_of(listener)[0].parameters["type"] == "ApiUsageException"
    endless.requests = None  # else nobody ever frees it
    with contextlib.suppress(Ice.Exception):
        handle.close()
