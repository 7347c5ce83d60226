"""Rendering settings in the database: read, write and create a RenderingDef with its channel bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero.rendering.pictures import MAX_ACTIVE_CHANNELS, ChannelRendering, Color, Rendering, channel_colors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.omero.database.transactions import Transaction

DEFAULT_COMPRESSION = 0.85
REVERSE = "ReverseIntensityContext"


def default_rendering(
    tx: Transaction, pixels: Mapping[str, Any], plane_minmax: Callable[[int], tuple[float, float]]
) -> Rendering:
    """Return the default settings of an image.

    They are those of RenderingSettingsImpl.resetDefaults: the middle focal plane, windows from the channels'
    statistics, the first three channels active, a single channel in grey.

    Args:
        tx: The transaction.
        pixels: Row of the Pixels.
        plane_minmax: Gives minimum and maximum of a channel's middle plane, where the first channel has no statistics.
    """
    channels = []
    rows = tx.find("Channel", pixels=pixels["id"])
    colors = _colors(tx, rows)
    for index, row in enumerate(rows):
        stats = tx.get("StatsInfo", row["statsInfo"]) if row["statsInfo"] is not None else None
        low, high = (stats["globalMin"], stats["globalMax"]) if stats else plane_minmax(index)
        channels.append(
            ChannelRendering(
                active=index < MAX_ACTIVE_CHANNELS,
                start=low,
                end=high if high > low else low + 1,
                color=colors[index],
                lookup_table=row["lookupTable"] or "",
            )
        )
    return Rendering(tuple(channels), greyscale=len(rows) == 1, default_z=pixels["sizeZ"] // 2)


def _colors(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> list[Color]:
    """Return the channels' own colours, or the default ones."""
    own: list[Color | None] = []
    waves: list[float | None] = []
    for row in rows:
        parts = tuple(row[part] for part in ("red", "green", "blue", "alpha"))
        own.append(None if None in parts else parts)
        logical = tx.get("LogicalChannel", row["logicalChannel"]) if row["logicalChannel"] is not None else None
        waves.append(logical["emissionWave"] if logical and logical["emissionWave_unit"] == "NANOMETER" else None)
    return channel_colors(own, waves)


def create_rendering(tx: Transaction, pixels_id: int, rendering: Rendering, **details: Any) -> int:
    """Write new settings, `details` may give `owner_id` and `group_id`; return the id of the RenderingDef."""
    quantum = tx.create(
        "QuantumDef",
        cdStart=rendering.codomain[0],
        cdEnd=rendering.codomain[1],
        bitResolution=rendering.bit_resolution,
        **details,
    )
    definition = tx.create(
        "RenderingDef",
        pixels=pixels_id,
        defaultZ=rendering.default_z,
        defaultT=rendering.default_t,
        model=_model(tx, rendering),
        quantization=quantum,
        compression=DEFAULT_COMPRESSION,
        **details,
    )
    for channel in rendering.channels:
        binding = tx.create("ChannelBinding", renderingDef=definition, **_binding_columns(tx, channel), **details)
        if channel.reverse:
            tx.create(REVERSE, channelBinding=binding, reverse=True, **details)
    return definition


def update_rendering(tx: Transaction, definition_id: int, rendering: Rendering) -> None:
    """Write settings over existing ones."""
    row = tx.get("RenderingDef", definition_id)
    assert row is not None
    tx.update(
        "RenderingDef",
        definition_id,
        defaultZ=rendering.default_z,
        defaultT=rendering.default_t,
        model=_model(tx, rendering),
    )
    tx.update(
        "QuantumDef",
        row["quantization"],
        cdStart=rendering.codomain[0],
        cdEnd=rendering.codomain[1],
        bitResolution=rendering.bit_resolution,
    )
    bindings = tx.find("ChannelBinding", renderingDef=definition_id)
    owner = {"owner_id": row["owner_id"], "group_id": row["group_id"]}
    for binding, channel in zip(bindings, rendering.channels, strict=False):
        tx.update("ChannelBinding", binding["id"], **_binding_columns(tx, channel))
        reversing = tx.find(REVERSE, channelBinding=binding["id"])
        if channel.reverse and not reversing:
            tx.create(REVERSE, channelBinding=binding["id"], reverse=True, **owner)
        elif not channel.reverse and reversing:
            tx.delete(REVERSE, [context["id"] for context in reversing])


def load_rendering(tx: Transaction, definition_id: int) -> Rendering:
    """Read the settings of an existing RenderingDef."""
    row = tx.get("RenderingDef", definition_id)
    assert row is not None
    quantum = tx.get("QuantumDef", row["quantization"]) or {}
    model = tx.get("RenderingModel", row["model"]) or {}
    channels = []
    for binding in tx.find("ChannelBinding", renderingDef=definition_id):
        family = tx.get("Family", binding["family"]) or {}
        color = tuple(0 if binding[k] is None else int(binding[k]) for k in ("red", "green", "blue", "alpha"))
        channels.append(
            ChannelRendering(
                active=bool(binding["active"]),
                start=binding["inputStart"],
                end=binding["inputEnd"],
                color=(color[0], color[1], color[2], color[3]),
                family=family.get("value", "linear"),
                coefficient=binding["coefficient"] or 1.0,
                reverse=any(c["reverse"] for c in tx.find(REVERSE, channelBinding=binding["id"])),
                lookup_table=binding["lookupTable"] or "",
            )
        )
    return Rendering(
        tuple(channels),
        greyscale=model.get("value") == "greyscale",
        default_z=row["defaultZ"] or 0,
        default_t=row["defaultT"] or 0,
        codomain=(quantum.get("cdStart") or 0, quantum.get("cdEnd") or 255),
        bit_resolution=quantum.get("bitResolution") or 255,
    )


def find_rendering(tx: Transaction, pixels: Mapping[str, Any], user_id: int) -> int | None:
    """Return the newest settings of this user, else those of the image's owner, else none."""
    rows = tx.find("RenderingDef", pixels=pixels["id"])
    for owner in (user_id, pixels["owner_id"]):
        own: list[int] = [row["id"] for row in rows if row["owner_id"] == owner]
        if own:
            return max(own)
    return None


def _model(tx: Transaction, rendering: Rendering) -> int:
    return tx.ensure_enum("RenderingModel", "greyscale" if rendering.greyscale else "rgb")


def _binding_columns(tx: Transaction, channel: ChannelRendering) -> dict[str, Any]:
    red, green, blue, alpha = channel.color
    return {
        "family": tx.ensure_enum("Family", channel.family),
        "coefficient": channel.coefficient,
        "inputStart": float(channel.start),
        "inputEnd": float(channel.end),
        "active": channel.active,
        "noiseReduction": False,
        "red": red,
        "green": green,
        "blue": blue,
        "alpha": alpha,
        "lookupTable": channel.lookup_table or None,
    }
