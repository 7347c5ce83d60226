"""Tracks and ROIs as lines on a picture."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.figures import overlay_lines
from bioimage_suite.tables.measurement_table import read_measurement_table

TRACKS = (
    "track\tframe\tcentroid_x_px\tcentroid_y_px\tparent_track\n"
    "1\t0\t10\t10\t\n1\t1\t20\t10\t\n2\t2\t30\t5\t1\n3\t2\t30\t15\t1\n\t0\t50\t50\t\n"
)


def test_tracks_go_to_the_shown_time_and_daughters_begin_at_their_parent(tmp_path):
    (tmp_path / "tracks.tsv").write_text(TRACKS)
    paths = overlay_lines.track_paths(read_measurement_table(tmp_path / "tracks.tsv", "m"))
    assert paths.count == 3
    steps = {tuple(map(tuple, pair)) for pair in zip(paths.start.tolist(), paths.end.tolist(), strict=True)}
    assert steps == {((10, 10), (10, 10)), ((10, 10), (20, 10)), ((20, 10), (30, 5)), ((20, 10), (30, 15))}
    early, late = np.zeros((20, 40, 3), np.uint8), np.zeros((20, 40, 3), np.uint8)
    overlay_lines.draw_tracks(early, paths, 1, 1.0)
    overlay_lines.draw_tracks(late, paths, 2, 1.0)
    assert early[10, 15].any()
    assert not early[:, 24:].any()
    assert late[7:9, 24:27].any()
    assert late[15, 30].any()
    assert not early[10, 10].any() or not early[6:9, 10].any()  # no dot where the object no longer is


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "not a JSON file"),
        ("3", "not GeoJSON"),
        ('{"features": [3]}', "not GeoJSON"),
        ('[{"geometry": null}]', "shape 1: it has no geometry"),
        ('[{"type": "Circle", "coordinates": []}]', "'Circle'"),
        ('[{"type": ["Point"], "coordinates": [1, 2]}]', "geometry is .'Point'"),
        (f'[{{"type": "Point", "coordinates": [1{"0" * 400}, 2]}}]', "no pair of numbers"),
        ('[{"type": "Point", "coordinates": [NaN, 2]}]', "no pair of numbers"),
        ('[{"type": "Polygon", "coordinates": [[["a", 1]]]}]', "no pair of numbers"),
        ('[{"type": "Polygon", "coordinates": [3]}]', "no list"),
        ('[{"type": "MultiPolygon", "coordinates": [3]}]', "no list"),
        ('[{"type": "LineString", "coordinates": []}]', "without a corner"),
        ('[{"type": "Point", "coordinates": [1]}]', "no pair of numbers"),
    ],
)
def test_broken_rois_are_refused(tmp_path, text, message):
    (tmp_path / "r.geojson").write_text(text)
    with pytest.raises(UserError, match=message):
        overlay_lines.read_geojson(tmp_path / "r.geojson", "r")
