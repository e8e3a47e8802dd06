import numpy as np
import pandas as pd

from analysis.methods import Selection
from analysis.reporting.topics import diverse_evol

POINTS = np.array([[0.0], [1.0], [1.0], [5.0], [9.0], [np.nan]], dtype=np.float32)
SELECTIONS = {
    "random_selection": Selection(np.array([1, 2])),
    "diverse_evol": Selection(np.array([0, 4])),
    "diverse_evol(space='base')": Selection(np.array([4, 1])),
}


def test_findings_name_the_share_of_common_rows():
    said = diverse_evol.evolution_finding(SELECTIONS, "diverse_evol", "diverse_evol(space='base')", 6)
    assert said.startswith("The training in between does not matter") and "50 % of their rows" in said
    radius, mean, twins, common = diverse_evol.spread_findings(POINTS, SELECTIONS)
    assert "0.50 times (DiverseEvol)" in radius and "0.46 times (DiverseEvol)" in mean
    assert "100 % (Random)" in twins and "share 50 % of their rows (33 % by chance)" in common


def test_isolation_is_said_from_the_nearest_to_the_farthest_group():
    alone = pd.DataFrame({"score": [1.0, 0, 0, 4, 4], "group": list("abbcc"), "of": "style"})
    assert "by style from 0.00 (b) to 4.00 (c)" in diverse_evol.isolation_finding(alone)
