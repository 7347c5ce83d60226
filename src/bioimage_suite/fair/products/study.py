"""A study as plain values, the source of crates, file lists and PageTab files."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from bioimage_suite.fair.terms.ontology_terms import Term

_Part = TypeVar("_Part")
# A description of many images names no more values of one field than this; the package's tables keep them all.
_NAMED_VALUES = 20


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
    status: str = ""
    location: str = ""

    def channel_texts(self) -> str:
        """Return the channels as text: `DAPI (nucleus); GFP (actin)`."""
        return "; ".join(
            f"{content} ({target})" if content and target else content or target for content, target in self.channels
        )

    def description(self) -> str:
        """Return the preparation and all that is said of it."""
        return sentences(
            self.preparation,
            ("Signal or contrast mechanism", self.contrast),
            ("Channels", self.channel_texts()),
            ("Experimental status", self.status),
            ("Location within biosample", self.location),
        )


@dataclass(frozen=True)
class Acquisition:
    """REMBI's image acquisition: how the specimen was imaged."""

    title: str
    methods: tuple[Term, ...]
    instrument: str
    parameters: str
    temperature: str = ""

    def description(self) -> str:
        """Return parameters and temperature."""
        return sentences(self.parameters, ("Temperature", self.temperature))


@dataclass(frozen=True)
class Correlation:
    """REMBI's image correlation: how images of one specimen lie on each other."""

    title: str
    alignment: str
    fiducials: str
    transformation: str


@dataclass(frozen=True)
class Analysis:
    """REMBI's analysed data: how the images were analysed, and what that gives."""

    title: str
    overview: str
    result_type: str
    data_used: str

    def description(self) -> str:
        """Return the overview, the type of result, and the data used."""
        more = (("Analysis result type", self.result_type), ("Data used", self.data_used))
        return sentences(self.overview, *more)


@dataclass(frozen=True)
class Detail:
    """A value of one image: `key` is its field such as `image.pixel_size_x`, or the free key that a person wrote.

    `unit` is the unit's id, such as `UO:0000017`, or empty.
    """

    key: str
    label: str
    value: str
    unit: str = ""


@dataclass(frozen=True)
class Component:
    """REMBI's study component: a part of the study."""

    name: str
    description: str


@dataclass(frozen=True)
class DepositedImage:
    """An image and its description. `path` is its path in the package, with `/`; `source` is the file or None.

    `details` are what only this image has (its size, its date), `other` the keys that belong to no standard.
    """

    name: str
    path: str
    source: Path | None
    size_bytes: int
    component: Component
    biosample: Biosample
    specimen: Specimen
    acquisition: Acquisition
    correlation: Correlation | None = None
    analysis: Analysis | None = None
    processing: str = ""
    details: tuple[Detail, ...] = ()
    other: tuple[tuple[str, str], ...] = ()

    def free_pairs(self, taken: Container[str]) -> dict[str, str]:
        """Return the keys of no standard with their values; a key that a table uses for something else is marked."""
        return {(f"{key} (free key)" if key in taken else key): value for key, value in self.other}

    def place(self) -> tuple[str, str]:
        """Return plate and well, each empty where the metadata do not say it."""
        folded = {name.casefold(): value for name, value in self.other}
        return folded.get("plate", ""), folded.get("well", "")


@dataclass(frozen=True)
class ResultFile:
    """A file that analysis made. `image` is the path of the image it was made from, empty when it belongs to all.

    The rest is MIFA's description of an annotation file, empty for other results.
    """

    name: str
    path: str
    source: Path | None
    size_bytes: int
    image: str = ""
    transformations: str = ""
    spatial: str = ""
    created: str = ""


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
    annotators: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    version: str = ""
    version_time: str = ""
    changes: str = ""

    def description(self) -> str:
        """Return what the annotations are: overview, types, criteria, coverage, and how files were changed."""
        return sentences(
            self.overview,
            ("Annotation type", "; ".join(self.types)),
            ("Criteria", self.criteria),
            ("Coverage", self.coverage),
            ("Transformations", self.about_all_files(lambda file: file.transformations)),
            ("Spatial information", self.about_all_files(lambda file: file.spatial)),
        )

    def method_description(self) -> str:
        """Return the method and what has no place of its own in the models of archives."""
        return sentences(
            self.method,
            ("Confidence", self.confidence),
            ("Annotators", "; ".join(self.annotators)),
            ("AI models trained", "; ".join(self.models)),
            ("Created", self.about_all_files(lambda file: file.created)),
            ("Version", self.version),
            ("Version timestamp", self.version_time),
            ("Changes", self.changes),
        )

    def about_all_files(self, part: Callable[[ResultFile], str]) -> str:
        """Return what the files say of one thing, each text once."""
        return "; ".join(dict.fromkeys(text for text in map(part, self.files) if text))


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
    type: Term | None = None

    def files(self) -> tuple[DepositedImage | ResultFile, ...]:
        """Return all files: images, results, annotations."""
        return (*self.images, *self.results, *(self.annotations.files if self.annotations else ()))

    @cached_property
    def images_of_component(self) -> Mapping[Component, tuple[DepositedImage, ...]]:
        """The images of each distinct component, in the order of the images."""
        return self._grouped(lambda image: image.component)

    @cached_property
    def images_of_biosample(self) -> Mapping[Biosample, tuple[DepositedImage, ...]]:
        """The images of each distinct biosample."""
        return self._grouped(lambda image: image.biosample)

    @cached_property
    def images_of_acquisition(self) -> Mapping[Acquisition, tuple[DepositedImage, ...]]:
        """The images of each distinct acquisition."""
        return self._grouped(lambda image: image.acquisition)

    def components(self) -> tuple[Component, ...]:
        """Return the distinct components, in the order of the images."""
        return tuple(self.images_of_component)

    def biosamples(self) -> tuple[Biosample, ...]:
        """Return the distinct biosamples."""
        return tuple(self.images_of_biosample)

    def specimens(self) -> tuple[Specimen, ...]:
        """Return the distinct specimens."""
        return self._distinct(lambda image: (image.specimen,))

    def acquisitions(self) -> tuple[Acquisition, ...]:
        """Return the distinct acquisitions."""
        return tuple(self.images_of_acquisition)

    def correlations(self) -> tuple[Correlation, ...]:
        """Return the distinct correlations."""
        return self._distinct(lambda image: (image.correlation,) if image.correlation else ())

    def analyses(self) -> tuple[Analysis, ...]:
        """Return the distinct analyses."""
        return self._distinct(lambda image: (image.analysis,) if image.analysis else ())

    def processings(self) -> tuple[str, ...]:
        """Return the distinct ways in which images were processed."""
        return self._distinct(lambda image: (image.processing,) if image.processing else ())

    def organisms(self) -> tuple[Term, ...]:
        """Return the distinct organisms."""
        return self._distinct(lambda image: image.biosample.organisms)

    def cell_lines(self) -> tuple[Term, ...]:
        """Return the distinct cell lines."""
        return self._distinct(lambda image: image.biosample.cell_lines)

    def methods(self) -> tuple[Term, ...]:
        """Return the distinct imaging methods."""
        return self._distinct(lambda image: image.acquisition.methods)

    def _distinct(self, parts: Callable[[DepositedImage], Iterable[_Part]]) -> tuple[_Part, ...]:
        return tuple(dict.fromkeys(part for image in self.images for part in parts(image)))

    def _grouped(self, part: Callable[[DepositedImage], _Part]) -> dict[_Part, tuple[DepositedImage, ...]]:
        found: dict[_Part, list[DepositedImage]] = {}
        for image in self.images:
            found.setdefault(part(image), []).append(image)
        return {key: tuple(images) for key, images in found.items()}


def without_emails(study: Study) -> Study:
    """Return the study without its authors' e-mail addresses: who publishes them must have asked for it."""
    return replace(study, authors=tuple(replace(author, email="") for author in study.authors))


def grant_parts(grant: str) -> tuple[str, str]:
    """Return identifier and funder of a grant, which metadata give as `identifier, funder`.

    >>> grant_parts("R01-NS123456, National Institutes of Health")
    ('R01-NS123456', 'National Institutes of Health')
    """
    identifier, _, funder = grant.partition(",")
    return identifier.strip(), funder.strip()


def sentences(main: str, *more: tuple[str, str]) -> str:
    """Return a text followed by what else is known: `Exposure 100 ms. Temperature: 37 °C.`; empty texts are left out.

    >>> sentences("Exposure 100 ms", ("Temperature", "37 °C"), ("Humidity", ""))
    'Exposure 100 ms. Temperature: 37 °C.'
    """
    rest = [f"{label}: {text.rstrip('.')}." for label, text in more if text]
    return " ".join(filter(None, [f"{main.rstrip('.')}." if main and rest else main, *rest]))


def shared_details(images: Iterable[DepositedImage]) -> list[tuple[str, str]]:
    """Return the details of several images by label, the distinct values of each, the first twenty by name."""
    found: dict[str, dict[str, None]] = {}
    for image in images:
        for detail in (*image.details, *(Detail(key, key, value) for key, value in image.other)):
            found.setdefault(detail.label, {})[detail.value] = None
    return [(label, _first_values(list(values))) for label, values in found.items()]


def _first_values(values: list[str]) -> str:
    more = len(values) - _NAMED_VALUES
    return "; ".join(values[:_NAMED_VALUES]) + (f"; and {more:,} more" if more > 0 else "")
