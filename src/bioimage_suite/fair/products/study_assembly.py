"""The assembly of a study from normalised metadata, and what a product asks of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bioimage_suite.core.texts import first_names
from bioimage_suite.fair.metadata.fields import MetadataField, field_by_key, load_fields
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import refuse_no_images
from bioimage_suite.fair.metadata.table import MetadataValue, ObjectValues, by_object, first_row
from bioimage_suite.fair.products.study import (
    Acquisition,
    Analysis,
    AnnotationSet,
    Author,
    Biosample,
    Component,
    Correlation,
    DepositedImage,
    Detail,
    ResultFile,
    Specimen,
    Study,
)
from bioimage_suite.fair.terms.ontology_terms import Term

_STUDY_TEXTS = (
    "title", "description", "release_date", "landing_page", "publisher", "publisher_url", "funding",
    "publication_title", "publication_doi", "acknowledgements",
)  # fmt: skip

# Required fields of each product. GIDE: profile v0.2; BIA: bia-rembi-models 1.5.2; IDR: study template; ARC: what its
# tables are about.
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
    "arc": (
        "study.title", "study.description", "study.authors", "biosample.organism", "acquisition.imaging_method",
    ),
}  # fmt: skip
_PROCESSING = "image.processing"
ANNOTATION_FIELDS = ("annotation.overview", "annotation.type", "annotation.method")


@cache
def _detail_fields() -> tuple[MetadataField, ...]:
    """Return the fields that describe one image and no group of images."""
    return (
        field_by_key("acquisition.date"),
        *(one for one in load_fields("rembi") if one.key.startswith("image.") and one.key != _PROCESSING),
    )


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
    keys = REQUIRED_FIELDS[product] + (ANNOTATION_FIELDS if annotated else ())
    anywhere = {value.field for value in values}
    lacking: dict[str, list[str]] = {key: [] for key in keys}
    of_study = [key for key in keys if key.startswith(("study.", "annotation."))]
    of_images = [key for key in keys if key not in of_study]
    for key in of_study:
        lacking[key] += [] if key in anywhere else ["the study"]
    objects = by_object(values)
    for image in images:
        found = objects.of_image(image)
        for key in of_images:
            if key not in found:
                lacking[key].append(image.name)
    return [
        f"{field_by_key(key).header}: missing for {first_names(names, 3)}. {field_by_key(key).question}"
        for key, names in lacking.items()
        if names
    ]


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
        annotations=_annotations(values, _described(annotations, objects, images)) if annotations else None,
        results=tuple(results),
        type=next(iter(_terms(first_row(values, "study.type"))), None),
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

    affiliations, rors = (parallel(f"study.{key}", True) for key in ("author_affiliations", "affiliation_rors"))
    # Whoever names an institution's ROR names it for all who work there.
    known = {affiliation: ror for affiliation, ror in zip(affiliations, rors, strict=False) if affiliation and ror}
    return tuple(
        Author(name, orcid, affiliation, ror or known.get(affiliation, ""), email)
        for name, orcid, affiliation, ror, email in zip(
            names,
            parallel("study.author_orcids", False),
            affiliations,
            rors,
            parallel("study.author_emails", False),
            strict=False,
        )
    )


def _image(facts: ImageFacts, path: str, source: Path | None, values: _Values) -> DepositedImage:
    correlated, analysed = ([_text(values, key) for key in keys] for keys in (_CORRELATION, _ANALYSIS))
    return DepositedImage(
        name=facts.name,
        path=path,
        source=source,
        size_bytes=facts.size_bytes,
        component=Component(_text(values, "component.name") or "Images", _text(values, "component.description")),
        biosample=_biosample(values),
        specimen=_specimen(values),
        acquisition=Acquisition(
            title=_text(values, "acquisition.title"),
            methods=_terms(values.get("acquisition.imaging_method", ())),
            instrument=_text(values, "acquisition.imaging_instrument"),
            parameters=_text(values, "acquisition.parameters"),
            temperature=_text(values, "acquisition.temperature"),
        ),
        correlation=Correlation("", *correlated) if any(correlated) else None,
        analysis=Analysis("", *analysed) if any(analysed) else None,
        processing=_text(values, _PROCESSING),
        details=tuple(
            Detail(field.key, field.label, _text(values, field.key), values[field.key][0].unit_id)
            for field in _detail_fields()
            if values.get(field.key)
        ),
        # A key may have several values, as in OMERO; tables have one column for them.
        other=tuple((values[key][0].key, _text(values, key)) for key in values if key.startswith("?")),
    )


_CORRELATION = ("correlation.alignment", "correlation.fiducials", "correlation.transformation")
_ANALYSIS = ("analysis.overview", "analysis.result_type", "analysis.data_used")


def _biosample(values: _Values) -> Biosample:
    return Biosample(
        title=_text(values, "biosample.title"),
        organisms=_terms(values.get("biosample.organism", ())),
        entity=_text(values, "biosample.biological_entity"),
        description=_text(values, "biosample.description"),
        cell_lines=_terms(values.get("biosample.cell_line", ())),
        intrinsic=_texts(values.get("biosample.intrinsic_variables", ())),
        extrinsic=_texts(values.get("biosample.extrinsic_variables", ())),
        experimental=_texts(values.get("biosample.experimental_variables", ())),
    )


def _specimen(values: _Values) -> Specimen:
    contents, entities = (
        [value.value for value in values.get(f"specimen.{key}", ())] for key in ("channel_content", "channel_entity")
    )
    return Specimen(
        title=_text(values, "specimen.title"),
        preparation=_text(values, "specimen.sample_preparation"),
        growth=_text(values, "specimen.growth_protocol"),
        contrast=_text(values, "specimen.contrast_mechanism"),
        channels=tuple(zip_longest(contents, entities, fillvalue="")),
        status=_text(values, "specimen.experimental_status"),
        location=_text(values, "specimen.location"),
    )


class _Titled:
    """The parts of one kind that were given a title; each title once, because archives refer to parts by title."""

    def __init__(self) -> None:
        self._parts: dict[Any, Any] = {}
        self._taken: set[str] = set()
        # For each wish the number to try next: ten thousand samples may wish the same title.
        self._next: dict[str, int] = {}

    def part(self, part: Any, *wishes: str) -> Any:
        """Return the part with its own title, else the first wish, numbered if that is taken."""
        if part not in self._parts:
            self._parts[part] = replace(part, title=self._free(next(filter(None, (part.title, *wishes)))))
        return self._parts[part]

    def _free(self, wish: str) -> str:
        title = wish
        while title in self._taken:
            number = self._next.get(wish, 2)
            self._next[wish] = number + 1
            title = f"{wish} {number}"
        self._taken.add(title)
        return title


def _with_titles(records: Sequence[DepositedImage]) -> list[DepositedImage]:
    """Give each distinct part of the description a unique title of its kind."""
    samples, specimens, acquisitions, correlations, analyses = (_Titled() for _ in range(5))

    about: dict[str, dict[str, None]] = {}
    for record in records:
        about.setdefault(record.component.name, {})[record.component.description] = None

    def titles(record: DepositedImage) -> DepositedImage:
        sample, acquisition = record.biosample, record.acquisition
        organism = ", ".join(term.label for term in sample.organisms)
        methods = ", ".join(term.label for term in acquisition.methods)
        name = record.component.name
        return replace(
            record,
            # Archives know a component by its name, so what its images say of it is one description.
            component=Component(name, "; ".join(filter(None, about[name]))),
            biosample=samples.part(sample, " ".join(filter(None, (organism, sample.entity))), "Biosample"),
            specimen=specimens.part(record.specimen, "Specimen"),
            acquisition=acquisitions.part(acquisition, methods, "Image acquisition"),
            correlation=record.correlation and correlations.part(record.correlation, "Image correlation"),
            analysis=record.analysis and analyses.part(record.analysis, "Image analysis"),
        )

    return [titles(record) for record in records]


def _described(
    files: Sequence[ResultFile], objects: ObjectValues, images: Sequence[tuple[ImageFacts, str, Path | None]]
) -> list[ResultFile]:
    """Add MIFA's description to annotation files: that of a row with the file's name, else that of its image."""
    facts = {path: image for image, path, _ in images}

    def described(file: ResultFile) -> ResultFile:
        values = {**objects.of_image(facts[file.image]), **objects.own_values(ImageFacts(file.name))}
        keys = ("transformations", "spatial_information", "creation_time")
        transformations, spatial, created = (_text(values, f"annotation_file.{key}") for key in keys)
        return replace(file, transformations=transformations, spatial=spatial, created=created)

    return [described(file) for file in files]


def _annotations(values: Sequence[MetadataValue], files: Sequence[ResultFile]) -> AnnotationSet:
    found: dict[str, list[MetadataValue]] = {}
    for value in values:
        if value.field.startswith(("annotation.", "version.")):
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
        annotators=_texts(found.get("annotation.authors", ())),
        models=_texts(found.get("annotation.ai_models", ())),
        version=_text(found, "version.version"),
        version_time=_text(found, "version.timestamp"),
        changes=_text(found, "version.changes"),
    )
