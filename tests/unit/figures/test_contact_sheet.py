"""Pictures side by side, with their names."""

import numpy as np

from bioimage_suite.figures.contact_sheet import contact_sheet


def test_a_name_of_two_lines_is_drawn_in_one():
    picture = np.zeros((40, 200, 3), np.uint8)
    first, second = (np.asarray(contact_sheet([(picture, name, "")], 200)) for name in ("a\nb", "a b"))
    np.testing.assert_array_equal(first, second)
