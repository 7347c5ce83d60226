#!/usr/bin/env bash
# trackpy 0.7: drift of particles that keep their places among each other, where one frame is missing for all of them (a
# frame out of focus, left out; link with memory carries tracks over it).
#
# Expected: the drift is that of the particles, and after subtract_drift they stand still, as they do where no frame is
#           missing.
# Seen:     compute_drift only knows steps from a frame to the next. The step over the gap is missing from then on, and of
#           the frame after the gap there is no drift at all, so that subtract_drift leaves its positions as they were:
#           with 1 px a frame and frame 10 missing, particles at rest stand at 11 px in frame 11, and 2 px aside from
#           frame 12 to the end. The mean squared displacement, 0 without the gap, is that of these jumps.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trackpy==0.7 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import pandas as pd
import trackpy

trackpy.quiet()


def corrected(missing):
    """x of the first of three particles, drift taken off, by frame; and the mean squared displacement in one frame."""
    spots = pd.DataFrame(
        [(frame, 100.0 * number + frame, 50.0 + frame / 2) for frame in range(20) if frame not in missing for number in range(3)],
        columns=["frame", "x", "y"])
    tracks = trackpy.link(spots, search_range=10, memory=2)
    assert tracks.particle.nunique() == 3
    still = trackpy.subtract_drift(tracks, trackpy.compute_drift(tracks)).reset_index(drop=True)
    first = still[still.particle == 0].set_index("frame").x.round(6)
    return first.to_dict(), float(trackpy.emsd(still, mpp=1, fps=1, max_lagtime=3).iloc[0])


whole, spread = corrected(set())
print(f"no frame missing: x is {sorted(set(whole.values()))}, msd {spread:g}")
assert set(whole.values()) == {0} and spread == 0
gap, spread = corrected({10})
print(f"frame 10 missing: x is {gap}, msd {spread:.2f}")
assert {gap[frame] for frame in range(10)} == {0}
assert gap[11] == 11 and {gap[frame] for frame in range(12, 20)} == {2} and spread > 5, "the behaviour changed"
PYTHON
echo "as described: a frame missing for all particles leaves jumps that nothing made"
