"""How complete the metadata of images are: tiers, shares, percentages."""

import pytest

from bioimage_suite.core.html import percent
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.completeness import (
    dataset_summary,
    group_shares,
    image_items,
    load_quality,
    tier_reached,
)
from bioimage_suite.fair.metadata.completeness_report import report_page
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.table import by_object
from bioimage_suite.tables.key_value_dialects import read_key_values
from tests.unit.fair.metadata_samples import DATA, images, ome


@pytest.mark.parametrize(("share", "text"), [(0, "0 %"), (0.001, "1 %"), (0.5, "50 %"), (0.999, "99 %"), (1, "100 %")])
def test_percentages_never_round_to_all_or_nothing(share: float, text: str):
    assert percent(share) == text


def full_quality(skip: str = "", tiers: tuple[int, ...] = (1, 2, 3)) -> ImageFacts:
    from bioimage_suite.fair.metadata.image_facts import occurrences

    values = {quality.name: "1" for quality in load_quality() if quality.tier in tiers and quality.name != skip}
    return ImageFacts("a", fields={name: occurrences(name, [value]) for name, value in values.items()})


@pytest.mark.parametrize(("tiers", "reached"), [((), 0), ((1,), 1), ((1, 2), 3), ((2, 3), 0)])
def test_a_tier_is_reached_when_all_it_requires_is_there(tiers: tuple[int, ...], reached: int):
    # Tier 3 requires nothing that OME-XML can say, so tier 2 brings it along.
    assert tier_reached(image_items(full_quality(tiers=tiers), by_object([]), ["nbo-q"])) == reached


@pytest.mark.parametrize(
    "name",
    [
        quality.name
        for quality in load_quality()
        if (quality.tier, quality.level, quality.applies) == (1, "required", "always")
    ],
)
def test_each_required_field_of_tier_1_is_needed(name: str):
    assert tier_reached(image_items(full_quality(skip=name), by_object([]), ["nbo-q"])) == 0


def test_what_does_not_apply_is_not_asked_for():
    def names(image: ImageFacts) -> set[str]:
        return {item.name for item in image_items(image, by_object([]), ["nbo-q"])}

    assert not names(ome()) & {"Pixels.PhysicalSizeZ", "Pixels.TimeIncrement", "ImagingEnvironment.Temperature"}
    assert names(ome(z=5, t=3)) >= {"Pixels.PhysicalSizeZ", "Pixels.TimeIncrement", "ImagingEnvironment.Temperature"}
    assert "Channel.ExcitationWavelength" not in names(ome(channels='<Channel IlluminationType="Transmitted"/>'))
    assert "Channel.ExcitationWavelength" in names(ome(channels='<Channel IlluminationType="Epifluorescence"/>'))


def test_channels_count_by_the_share_that_is_filled():
    facts = ome(channels='<Channel Name="a"/><Channel/>')
    share = next(item.share for item in image_items(facts, by_object([]), ["nbo-q"]) if item.name == "Channel.Name")
    assert share == 0.5


def test_modules_and_fields_over_a_dataset():
    values = validate([read_key_values(DATA / "template_rembi.csv", "t")], images(), ()).values
    items = [image_items(image, by_object(values), ["rembi", "mifa", "nbo-q"]) for image in images()]
    assert group_shares(items[0])["Study component"] == 1
    summary = {field.name: (field.present, field.applicable) for field in dataset_summary(items)}
    assert summary["Biosample: Organism"] == (2, 2)
    assert summary["Objective.LensNA"] == (1, 2)
    html = report_page(images(), items, dataset_summary(items)).html
    assert "Which numerical aperture has the objective?" in html
    assert "Which organism" not in html
