"""What one may link to what, in each kind of group: rights on both ends.

Source: omero-server, src/main/java/ome/security/basic/OmeroInterceptor.java. `evaluateLinkages` looks at everything
that a new or changed object refers to; `neededRight` asks for ANNOTATE where an annotation link, or a ROI on an image,
is concerned, for READ with rendering settings, for WRITE otherwise; owners and leaders need no more than that
(`isSupervisor`), but in a private group nobody links to what others own (`isGraphCritical`,
ReadOnlyGroupSecurityViolation).
"""

import omero
import pytest
from omero.rtypes import rint, rstring

KINDS = ("rwr---", "rwra--", "rwrw--")


@pytest.fixture(params=KINDS)
def pair(lab, request):
    """Kind of a group, and two members of it."""
    group = lab.group(request.param)
    return request.param, lab.connect(lab.user(group)), lab.connect(lab.user(group))


def save(gateway, thing):
    return gateway.getUpdateService().saveAndReturnObject(thing)


def new(kind, **values):
    made = getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def new_tag():
    return new("TagAnnotation", textValue=rstring("t"))


def new_image():
    return new("Image", name=rstring("i"))


def refused(gateway, thing):
    """Whether the server refuses to link, with the exception that the real one raises."""
    try:
        save(gateway, thing)
    except omero.SecurityViolation as error:
        raised = error
    else:
        return False
    assert type(raised) is omero.SecurityViolation
    assert "Cannot link to object: " in raised.message
    return True


def test_a_colleagues_tag_on_ones_own_image_needs_the_right_to_annotate(pair):
    kind, owner, colleague = pair
    tag, image = save(colleague, new_tag()), save(owner, new_image())
    for child in (tag.proxy(), colleague.getQueryService().get("TagAnnotation", tag.id.val)):
        link = new("ImageAnnotationLink", parent=image.proxy(), child=child)
        assert refused(owner, link) is (kind == "rwr---")
        owner.getUpdateService().saveObject(new("ImageAnnotationLink", parent=image.proxy(), child=new_tag()))
        if kind != "rwr---":
            return


def test_a_roi_on_a_colleagues_image_needs_the_right_to_annotate(pair):
    kind, owner, colleague = pair
    image = save(colleague, new_image())
    assert refused(owner, new("Roi", image=image.proxy())) is (kind == "rwr---")


@pytest.mark.parametrize("ours", ["parent", "child"])
def test_links_of_containers_need_the_right_to_write_on_both_ends(pair, ours):
    kind, owner, colleague = pair
    makers = {"parent": owner if ours == "parent" else colleague, "child": owner if ours == "child" else colleague}
    dataset = save(makers["parent"], new("Dataset", name=rstring("d")))
    image = save(makers["child"], new_image())
    link = new("DatasetImageLink", parent=dataset.proxy(), child=image.proxy())
    assert refused(owner, link) is (kind != "rwrw--")


def test_parts_of_what_a_colleague_owns_need_the_right_to_write(pair):
    kind, owner, colleague = pair
    roi = save(colleague, new("Roi", image=save(colleague, new_image())))
    plate = save(colleague, new("Plate", name=rstring("p")))
    file = save(colleague, new("OriginalFile", name=rstring("f"), path=rstring("/")))
    for part in (
        new("Point", roi=roi.proxy(), x=omero.rtypes.rdouble(1), y=omero.rtypes.rdouble(1)),
        new("Well", plate=plate.proxy(), row=rint(0), column=rint(0)),
        new("FileAnnotation", file=file.proxy()),
    ):
        assert refused(owner, part) is (kind != "rwrw--"), type(part)


def test_what_is_not_changed_is_not_looked_at(pair):
    _, owner, colleague = pair
    roi = save(colleague, new("Roi", image=save(colleague, new_image())))
    found = owner.getQueryService().get("Roi", roi.id.val)
    save(owner, found)  # refers to a colleague's image, as before


def test_leaders_link_what_members_own_but_not_in_a_private_group(lab):
    for kind in ("rw----", *KINDS):
        group = lab.group(kind)
        member, leader = lab.connect(lab.user(group)), lab.connect(lab.user(group, leads=True))
        link = new(
            "ImageAnnotationLink", parent=save(leader, new_image()).proxy(), child=save(member, new_tag()).proxy()
        )
        if kind == "rw----":
            with pytest.raises(omero.ReadOnlyGroupSecurityViolation):
                save(leader, link)
        else:
            save(leader, link)
