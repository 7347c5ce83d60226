#!/usr/bin/env bash
# SimpleITK 2.5.7: perimeter and surface of labels in images whose pixels are longer in one direction (line scans, z stacks).
#
# Expected: GetPerimeter is a physical size, like GetPhysicalSize: the same for one object however it lies, and near the true
#           length; no outline is shorter than there and back along the object's longest diameter.
# Seen:     with pixels of 1 x 4 µm, a bar of 96 x 4 µm (outline 200 µm) has 120 µm along the long side of the pixels, less
#           than twice its diameter of 92 µm, and 225 µm across; square pixels give 189 µm both ways. In voxels of
#           4 x 1 x 1 µm a plate of 80 x 80 x 8 µm (15360 µm²) has 17749 µm² lying and 9854 µm² standing. GetRoundness
#           follows: of the bar 0.58 and 0.31. The mean is taken of widths along the pixels' sides and diagonals, as if these
#           were spread evenly, but diagonals lean with the spacing; only disks and balls come out right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 SimpleITK==2.5.7
"$folder/venv/bin/python" - <<'PYTHON'
import math

import numpy as np
import SimpleITK as sitk


def measured(name, true, size, pixel):
    """Outline or surface, diameter and roundness of a filled box: its sizes and those of a pixel are in µm, z, y, x."""
    sides = [round(length / step) for length, step in zip(size, pixel)]
    labels = sitk.GetImageFromArray(np.pad(np.ones(sides, np.uint8), 8))
    labels.SetSpacing(pixel[::-1])
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.ComputePerimeterOn()
    shape.ComputeFeretDiameterOn()
    shape.Execute(labels)
    assert math.isclose(shape.GetPhysicalSize(1), math.prod(size))
    outline, diameter, roundness = shape.GetPerimeter(1), shape.GetFeretDiameter(1), round(shape.GetRoundness(1), 2)
    print(f"{name}, pixels of {pixel} µm: {outline:.0f} (true {true}), diameter {diameter:.0f} µm, roundness {roundness}")
    return round(outline), round(diameter), roundness


square, long = (1.0, 1.0), (1.0, 4.0)
same = measured("bar along x", 200, (4, 96), square)
assert same == measured("bar along y", 200, (96, 4), square), "square pixels give two numbers"
assert same[0] == 189
seen = [measured("bar along x", 200, (4, 96), long), measured("bar along y", 200, (96, 4), long)]
for name, size in (("plate, lying", (8, 80, 80)), ("plate, standing", (80, 80, 8))):
    seen.append(measured(name, 15360, size, (4.0, 1.0, 1.0)))
assert [outline for outline, _, _ in seen] == [120, 225, 17749, 9854], "the behaviour changed"
assert seen[0][0] < 2 * seen[0][1] and (seen[0][2], seen[1][2]) == (0.58, 0.31)
PYTHON
echo "as described: perimeter and surface depend on how an object lies in pixels that are not square"
