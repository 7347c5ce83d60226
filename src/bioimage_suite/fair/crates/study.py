"""A study as plain values, the source of crates, file lists and PageTab files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioimage_suite.core.texts import first_names
from bioimage_suite.fair.metadata.fields import field_by_key
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import refuse_no_images
from bioimage_suite.fair.metadata.table import MetadataValue, by_object, first_row
from bioimage_suite.fair.terms.ontology_terms import Term


@dataclass(frozen=True)
class Author:
    """An author. Every field except the name may be empty; `orcid` and `ror` are addresses."""

    name: str
    orcid: str = ""
    affiliation: str = ""
    ror: str = ""
    email: str = ""

    @property
    def published_name(self) -> str:
        """Name as an article prints it: `Jane Doe` of `Doe, Jane`, `John Roe, Jr.` of `Roe, John, Jr.`."""
        last, *rest = (part.strip() for part in self.name.split(","))
        return ", ".join([" ".join([*rest[:1], last]), *rest[1:]])


@dataclass(frozen=True)
class Biosample:
    """REMBI's biosample: what was imaged."""

    title: str
    organisms: tuple[Term, ...]
    entity: str
    description: str
    cell_lines: tuple[Term, ...]
    intrinsic: tuple[str, ...]
    extrinsic: tuple[str, ...]
    experimental: tuple[str, ...]


@dataclass(frozen=True)
class Specimen:
    """REMBI's specimen: how the biosample was prepared. `channels` are pairs of content and structure."""

    title: str
    preparation: str
    growth: str
    contrast: str
    channels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Acquisition:
    """REMBI's image acquisition: how the specimen was imaged."""

    title: str
    methods: tuple[Term, ...]
    instrument: str
    parameters: str


@dataclass(frozen=True)
class Component:
    """REMBI's study component: a part of the study."""

    name: str
    description: str


@dataclass(frozen=True)
class DepositedImage:
    """An image and its description. `path` is its path in the package, with `/`; `source` is the file or None."""

    name: str
    path: str
    source: Path | None
    size_bytes: int
    component: Component
    biosample: Biosample
    specimen: Specimen
    acquisition: Acquisition
    other: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ResultFile:
    """A file that analysis made. `image` is the path of the image it was made from, empty when it belongs to all."""

    name: str
    path: str
    source: Path | None
    size_bytes: int
    image: str = ""


@dataclass(frozen=True)
class AnnotationSet:
    """Annotation files with MIFA's description of them."""

    title: str
    overview: str
    types: tuple[str, ...]
    method: str
    criteria: str
    coverage: str
    confidence: str
    files: tuple[ResultFile, ...]


@dataclass(frozen=True)
class Study:
    """A study with all its files. `texts` holds its single-valued fields by name, such as `title`, empty if missing."""

    texts: Mapping[str, str]
    license_id: str
    keywords: tuple[str, ...]
    grants: tuple[str, ...]
    authors: tuple[Author, ...]
    images: tuple[DepositedImage, ...]
    annotations: AnnotationSet | None = None
    results: tuple[ResultFile, ...] = ()

    def files(self) -> tuple[DepositedImage | ResultFile, ...]:
        """Return all files: images, results, annotations."""
        return (*self.images, *self.results, *(self.annotations.files if self.annotations else ()))

    def components(self) -> tuple[Component, ...]:
        """Return the distinct components, in the order of the images."""
        return tuple(dict.fromkeys(image.component for image in self.images))

    def biosamples(self) -> tuple[Biosample, ...]:
        """Return the distinct biosamples."""
        return tuple(dict.fromkeys(image.biosample for image in self.images))

    def specimens(self) -> tuple[Specimen, ...]:
        """Return the distinct specimens."""
        return tuple(dict.fromkeys(image.specimen for image in self.images))

    def acquisitions(self) -> tuple[Acquisition, ...]:
        """Return the distinct acquisitions."""
        return tuple(dict.fromkeys(image.acquisition for image in self.images))

    def organisms(self) -> tuple[Term, ...]:
        """Return the distinct organisms."""
        return tuple(dict.fromkeys(term for sample in self.biosamples() for term in sample.organisms))

    def methods(self) -> tuple[Term, ...]:
        """Return the distinct imaging methods."""
        return tuple(dict.fromkeys(term for acquisition in self.acquisitions() for term in acquisition.methods))


_STUDY_TEXTS = (
    "title", "description", "type", "release_date", "landing_page", "publisher", "publisher_url", "funding",
    "publication_title", "publication_doi", "acknowledgements",
)  # fmt: skip

# Required fields of each product. GIDE: profile v0.2; BIA: bia-rembi-models 1.5.2; IDR: study template.
REQUIRED_FIELDS: dict[str, tuple[str, ...]] = {
    "general": ("study.title", "study.description", "study.release_date", "study.license", "study.authors"),
    "gide": (
        "study.title", "study.description", "study.release_date", "study.license", "study.authors",
        "study.landing_page", "study.publisher", "biosample.organism", "biosample.biological_entity",
        "acquisition.imaging_method", "acquisition.imaging_instrument",
    ),
    "bia": (
        "study.title", "study.description", "study.release_date", "study.license", "study.authors", "study.keywords",
        "study.author_affiliations", "component.name", "component.description", "biosample.organism",
        "biosample.biological_entity", "specimen.sample_preparation", "acquisition.imaging_method",
        "acquisition.imaging_instrument", "acquisition.parameters",
    ),
    "idr": (
        "study.title", "study.description", "study.release_date", "study.license", "study.authors", "component.name",
        "component.description", "biosample.organism", "acquisition.imaging_method",
    ),
}  # fmt: skip
ANNOTATION_FIELDS = ("annotation.overview", "annotation.type", "annotation.method")


def missing_fields(
    product: str, values: Sequence[MetadataValue], images: Sequence[ImageFacts], annotated: bool
) -> list[str]:
    """List the fields that are missing to make a product, as one readable line per field.

    Args:
        product: A key of `REQUIRED_FIELDS`.
        values: The normalised metadata.
        images: The images that it should describe.
        annotated: Whether there are annotation files, so that MIFA's required fields count too.
    """
    objects = by_object(values)
    anywhere = {value.field for value in values}
    lines = []
    for key in REQUIRED_FIELDS[product] + (ANNOTATION_FIELDS if annotated else ()):
        field = field_by_key(key)
        if key.startswith(("study.", "annotation.")):
            lacking = [] if key in anywhere else ["the study"]
        else:
            lacking = [image.name for image in images if key not in objects.of_image(image)]
        if lacking:
            lines.append(f"{field.header}: missing for {first_names(lacking, 3)}. {field.question}")
    return lines


def make_study(
    values: Sequence[MetadataValue],
    images: Sequence[tuple[ImageFacts, str, Path | None]],
    annotations: Sequence[ResultFile] = (),
    results: Sequence[ResultFile] = (),
) -> Study:
    """Assemble a study from normalised metadata.

    Args:
        values: The rows of the normalised table.
        images: Facts, path in the package, and file of each image.
        annotations: Label maps, ROIs, tracks.
        results: Measurement tables and other results.

    Raises:
        UserError: There are no images.
    """
    refuse_no_images(images, "Give images, or metadata that names images.")
    objects = by_object(values)
    study: dict[str, MetadataValue] = {}
    for value in values:
        if value.field.startswith("study."):
            study.setdefault(value.field[6:], value)
    records = [_image(facts, path, source, objects.of_image(facts)) for facts, path, source in images]
    return Study(
        texts={key: study[key].value if key in study else "" for key in _STUDY_TEXTS},
        license_id=study["license"].term_id if "license" in study else "",
        keywords=_texts(first_row(values, "study.keywords")),
        grants=_texts(first_row(values, "study.grants")),
        authors=_authors(values),
        images=tuple(_with_titles(records)),
        annotations=_annotations(values, annotations) if annotations else None,
        results=tuple(results),
    )


_Values = Mapping[str, Sequence[MetadataValue]]


def _texts(values: Iterable[MetadataValue]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.value for value in values))


def _terms(values: Iterable[MetadataValue]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(Term(value.term_id, value.value) for value in values))


def _text(values: _Values, key: str) -> str:
    return "; ".join(_texts(values.get(key, ())))


def _authors(values: Sequence[MetadataValue]) -> tuple[Author, ...]:
    names = [value.value for value in first_row(values, "study.authors")]

    def parallel(key: str, shared: bool) -> list[str]:
        found = [value.value for value in first_row(values, key)]
        if shared and len(found) == 1:
            found *= len(names)
        return [("" if text == "-" else text) for text in found + [""] * (len(names) - len(found))]

    return tuple(
        Author(name, orcid, affiliation, ror, email)
        for name, orcid, affiliation, ror, email in zip(
            names,
            parallel("study.author_orcids", False),
            parallel("study.author_affiliations", True),
            parallel("study.affiliation_rors", True),
            parallel("study.author_emails", False),
            strict=False,
        )
    )


def _image(facts: ImageFacts, path: str, source: Path | None, values: _Values) -> DepositedImage:
    contents = _texts(values.get("specimen.channel_content", ()))
    entities = _texts(values.get("specimen.channel_entity", ()))
    width = max(len(contents), len(entities))
    channels = zip(contents + ("",) * (width - len(contents)), entities + ("",) * (width - len(entities)), strict=True)
    return DepositedImage(
        name=facts.name,
        path=path,
        source=source,
        size_bytes=facts.size_bytes,
        component=Component(_text(values, "component.name") or "Images", _text(values, "component.description")),
        biosample=Biosample(
            title=_text(values, "biosample.title"),
            organisms=_terms(values.get("biosample.organism", ())),
            entity=_text(values, "biosample.biological_entity"),
            description=_text(values, "biosample.description"),
            cell_lines=_terms(values.get("biosample.cell_line", ())),
            intrinsic=_texts(values.get("biosample.intrinsic_variables", ())),
            extrinsic=_texts(values.get("biosample.extrinsic_variables", ())),
            experimental=_texts(values.get("biosample.experimental_variables", ())),
        ),
        specimen=Specimen(
            title=_text(values, "specimen.title"),
            preparation=_text(values, "specimen.sample_preparation"),
            growth=_text(values, "specimen.growth_protocol"),
            contrast=_text(values, "specimen.contrast_mechanism"),
            channels=tuple(channels),
        ),
        acquisition=Acquisition(
            title=_text(values, "acquisition.title"),
            methods=_terms(values.get("acquisition.imaging_method", ())),
            instrument=_text(values, "acquisition.imaging_instrument"),
            parameters=_text(values, "acquisition.parameters"),
        ),
        other=tuple((value.key, value.value) for key in values if key.startswith("?") for value in values[key]),
    )


def _with_titles(records: Sequence[DepositedImage]) -> list[DepositedImage]:
    """Give each distinct biosample, specimen and acquisition a unique title; archives refer to them by title."""
    biosamples: dict[Biosample, str] = {}
    specimens: dict[Specimen, str] = {}
    acquisitions: dict[Acquisition, str] = {}
    for record in records:
        sample, acquisition = record.biosample, record.acquisition
        organism = ", ".join(term.label for term in sample.organisms)
        _title(biosamples, sample, sample.title or " ".join(filter(None, (organism, sample.entity))) or "Biosample")
        _title(specimens, record.specimen, record.specimen.title or "Specimen")
        methods = ", ".join(term.label for term in acquisition.methods)
        _title(acquisitions, acquisition, acquisition.title or methods or "Image acquisition")
    return [
        replace(
            record,
            biosample=replace(record.biosample, title=biosamples[record.biosample]),
            specimen=replace(record.specimen, title=specimens[record.specimen]),
            acquisition=replace(record.acquisition, title=acquisitions[record.acquisition]),
        )
        for record in records
    ]


def _title(titles: dict[Any, str], item: Any, wish: str) -> None:
    if item in titles:
        return
    taken = set(titles.values())
    number = 2
    title = wish
    while title in taken:
        title = f"{wish} {number}"
        number += 1
    titles[item] = title


def _annotations(values: Sequence[MetadataValue], files: Sequence[ResultFile]) -> AnnotationSet:
    found: dict[str, list[MetadataValue]] = {}
    for value in values:
        if value.field.startswith("annotation."):
            found.setdefault(value.field, []).append(value)
    return AnnotationSet(
        title=_text(found, "annotation.title") or "Annotations",
        overview=_text(found, "annotation.overview"),
        types=_texts(found.get("annotation.type", ())),
        method=_text(found, "annotation.method"),
        criteria=_text(found, "annotation.criteria"),
        coverage=_text(found, "annotation.coverage"),
        confidence=_text(found, "annotation.confidence"),
        files=tuple(files),
    )
