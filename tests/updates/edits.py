"""The edits of a team, alone and in combinations."""

import random
from collections.abc import Callable, Sequence

from updates import edits_around as around
from updates import edits_code as code
from updates.places import Trace
from updates.projects import Project

Edit = Callable[[Project], Sequence[Trace]]
# In the order in which they can follow one another: the example is copied before it is deleted.
ALL: tuple[Edit, ...] = (
    code.feature,
    code.migration,
    code.setting_of_a_feature,
    code.middleware,
    code.shared_fixture,
    code.edited_example,
    code.edited_model,
    around.dependency_of_the_team,
    around.tool_of_the_team,
    around.table_in_pyproject,
    around.make_target,
    around.workflow,
    around.alert,
    around.runbook,
    around.picture,
    around.readme,
    around.compose,
    around.import_contracts,
    code.deleted_example,
    around.renamed_team,
)
EDITS = {edit.__name__: edit for edit in ALL}
EXAMPLE_CHANGED = {"edited_example", "edited_model"}
COMPATIBLE = tuple(name for name in EDITS if name != "deleted_example")
WITHOUT_EXAMPLE = tuple(name for name in EDITS if name not in EXAMPLE_CHANGED)


def apply(names: Sequence[str], project: Project) -> list[Trace]:
    """Make these edits and commit them; what comes back is what must survive."""
    traces = [trace for name in names for trace in EDITS[name](project)]
    project.commit("Our work")
    return traces


def drawn(seed: int, among: Sequence[str], at_most: int = 5) -> tuple[str, ...]:
    """Three to five at random, in the order of the list."""
    dice = random.Random(seed)  # noqa: S311
    return tuple(sorted(dice.sample(among, dice.randint(3, at_most)), key=list(among).index))
