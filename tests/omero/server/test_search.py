"""Search: words, fields, must and must not, fuzzy words, order, dates, the text of attachments."""

import omero
import pytest
from omero.rtypes import rstring, rtime, unwrap


def new(kind: str, **values):
    made = getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def project(gateway):
    def make(name: str, description: str | None = None, *annotations) -> int:
        made = new("Project", name=rstring(name), description=rstring(description) if description else None)
        for annotation in annotations:
            made.linkAnnotation(annotation)
        return gateway.getUpdateService().saveAndReturnObject(made).id.val

    return make


@pytest.fixture
def search(gateway):
    """Names of the projects that a search finds, in the order of the results."""

    def run(call, *arguments, setup=lambda _service: None) -> list[str]:
        service = gateway.createSearchService()
        try:
            service.onlyType("Project")
            setup(service)
            getattr(service, call)(*arguments)
            return [thing.name.val for thing in service.results()] if service.hasNext() else []
        finally:
            service.close()

    return run


@pytest.fixture
def three(project):
    tag = new("TagAnnotation", textValue=rstring("mitosis"))
    pairs = new("MapAnnotation", mapValue=[omero.model.NamedValue("gene", "TP53")])
    project("alpha_control.tif", "spindle cells", tag)
    project("beta treated", "spindle", pairs)
    project("gamma", "nothing")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alpha", ["alpha_control.tif"]),
        ("CONTROL", ["alpha_control.tif"]),
        ("alp", []),
        ("alp*", ["alpha_control.tif"]),
        ("*reated", ["beta treated"]),
        ("g?mma", ["gamma"]),
        ("spindle", ["alpha_control.tif", "beta treated"]),
        ("spindle AND cells", ["alpha_control.tif"]),
        ("+spindle -cells", ["beta treated"]),
        ("spindle NOT cells", ["beta treated"]),
        ("cells gamma", ["alpha_control.tif", "gamma"]),
        ('"spindle cells"', ["alpha_control.tif"]),
        ('"cells spindle"', []),
        ("alpha_control.tif", ["alpha_control.tif"]),
        ("name:spindle", []),
        ("description:spindle", ["alpha_control.tif", "beta treated"]),
        ("tag:mitosis", ["alpha_control.tif"]),
        ("annotation:mitosis", ["alpha_control.tif"]),
        ("tag:TP53", []),
        ("TP53", ["beta treated"]),
        ("gene:TP53", ["beta treated"]),
        ("dose:TP53", []),
        ("gamna~", ["gamma"]),
        ("gamna~0.9", []),
        ("(alpha OR beta) AND spindle", ["alpha_control.tif", "beta treated"]),
        ("description:(spindle AND cells)", ["alpha_control.tif"]),
        ("-spindle", []),
    ],
)
def test_search_texts(search, text, found):
    assert sorted(search("byFullText", text)) == found


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("some", "must", "none", "found"),
    [
        (["alpha", "gamma"], [], [], ["alpha_control.tif", "gamma"]),
        ([], ["spindle"], ["cells"], ["beta treated"]),
        (["cells"], ["spindle"], [], ["alpha_control.tif", "beta treated"]),
        ([], ["spindle", "treated"], [], ["beta treated"]),
    ],
)
def test_some_must_none(search, some, must, none, found):
    assert sorted(search("bySomeMustNone", some, must, none)) == found


@pytest.mark.parametrize("text", ["*", "", "(alpha", "alpha)", "alpha AND"])
def test_what_is_no_search_text_is_told(search, text):
    with pytest.raises(omero.ApiUsageException):
        search("byFullText", text)


def test_words_are_found_as_they_are_now(gateway, project, search):
    number = project("before")
    assert search("byFullText", "before") == ["before"]
    found = gateway.getObject("Project", number)
    found.setName("after")
    found.save()
    assert search("byFullText", "before") == []
    assert search("byFullText", "after") == ["after"]
    gateway.deleteObjects("Project", [number], wait=True)
    assert search("byFullText", "after") == []


def test_an_annotation_counts_from_its_link_on_and_no_longer(gateway, project, search):
    tag = new("TagAnnotation", textValue=rstring("fleeting"))
    number = project("holder", None, tag)
    assert search("byFullText", "fleeting") == ["holder"]
    (link,) = gateway.getAnnotationLinks("Project", parent_ids=[number])
    gateway.deleteObjects("ProjectAnnotationLink", [link.getId()], wait=True)
    assert search("byFullText", "fleeting") == []


def test_the_text_of_an_attachment(gateway, project, search, tmp_path):
    (tmp_path / "note.txt").write_text("the zebrafish embryo, 24 hpf")
    annotation = gateway.createFileAnnfromLocalFile(str(tmp_path / "note.txt"), mimetype="text/plain")
    project("with attachment", None, omero.model.FileAnnotationI(annotation.getId(), False))
    assert search("byFullText", "zebrafish AND embryo") == ["with attachment"]
    assert search("byFullText", "file.contents:zebrafish") == ["with attachment"]
    assert search("byFullText", "file.name:note") == ["with attachment"]


def test_results_come_in_the_order_asked_for(project, search):
    for name in ("b same", "c same", "a same"):
        project(name)
    assert search("byFullText", "same", setup=lambda s: s.addOrderByAsc("name")) == ["a same", "b same", "c same"]
    assert search("byFullText", "same", setup=lambda s: s.addOrderByDesc("name")) == ["c same", "b same", "a same"]


@pytest.mark.usefixtures("three")
def test_the_form_of_omero_web(search):
    assert search("byLuceneQueryBuilder", "name", "", "", "", "alpha AND control") == ["alpha_control.tif"]
    found = search("byLuceneQueryBuilder", "name,description", "", "", "", "treated, gamma;")
    assert sorted(found) == ["beta treated", "gamma"]
    assert search("byLuceneQueryBuilder", "name", "20000101", "20000102", "import", "alpha") == []
    assert search("byLuceneQueryBuilder", "name", "20000101", "20991231", "import", "alpha") == ["alpha_control.tif"]
    assert len(search("byLuceneQueryBuilder", "", "20000101", "20991231", "import", "")) == 3
    with pytest.raises(omero.ApiUsageException, match="YYYYMMDD"):
        search("byLuceneQueryBuilder", "name", "yesterday", "", "import", "alpha")


@pytest.mark.usefixtures("three")
def test_nobody_finds_what_is_not_theirs_to_see(lab):
    stranger = lab.connect(lab.user(lab.group("rw----")))
    assert list(stranger.searchObjects(["Project"], "spindle")) == []


def test_acquired_images(gateway):
    image = new("Image", name=rstring("acquired"), acquisitionDate=rtime(1_600_000_000_000))
    gateway.getUpdateService().saveObject(image)
    service = gateway.createSearchService()
    service.onlyType("Image")
    service.byLuceneQueryBuilder("name", "20200913", "20200913", "acquisitionDate", "acquired")
    assert [unwrap(one.name) for one in service.results()] == ["acquired"]
    service.byLuceneQueryBuilder("name", "20200914", "20200915", "acquisitionDate", "acquired")
    assert not service.hasNext()
    service.close()
