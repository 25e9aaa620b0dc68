"""When generators reach a quality, and how they compare."""

import json
from dataclasses import asdict, dataclass, field

import numpy as np

from benchmarks.tables import make_table

GOALS = (0.75, 0.80)
REAL = "real images"


@dataclass
class Course:
    """How far a contestant came with a seed.

    Args:
        imports: Float. Seconds of its imports.
        looks: List of pairs of floats, in order: seconds of training, and the
            score then.
        failed: Boolean. Whether it ended by a failure.
    """

    imports: float = 0.0
    looks: list = field(default_factory=list)
    failed: bool = False

    @property
    def reached(self):
        """Dict from goals to the seconds of the first look that reached them.

        Goals that none reached are not in it.
        """
        reached = {}
        for seconds, score in self.looks:
            for goal in GOALS:
                if score >= goal:
                    reached.setdefault(goal, seconds)
        return reached

    @property
    def best(self):
        """The best score, a float."""
        return max((score for _, score in self.looks), default=0.0)

    @property
    def ended(self):
        """Seconds at the last look, a float."""
        return self.looks[-1][0] if self.looks else 0.0

    def words(self, goal):
        """Says when a goal was reached.

        Args:
            goal: Float.

        Returns:
            A string.
        """
        if goal in self.reached:
            return f"{self.reached[goal]:.1f}"
        return "failed" if self.failed else f"not in {self.ended:.0f}"


class Courses:
    """The courses of all contestants, which a file can keep.

    Args:
        path: Path of a JSON file, which need not be there yet, or `None`.
        limit: Float. Seconds at which contestants are given up.

    Raises:
        ValueError: Those in the file were given up at another time.
    """

    def __init__(self, path, limit):
        self._path = path
        self._limit = limit
        self._courses = {}
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["limit"] != limit:
                raise ValueError(
                    f"`limit` must be {kept['limit']}, as in {path}. "
                    f"Received: limit={limit}"
                )
            for entry in kept["courses"]:
                place = entry.pop("name"), entry.pop("seed")
                looks = [tuple(look) for look in entry.pop("looks")]
                self._courses[place] = Course(looks=looks, **entry)

    def lacks(self, name, seed):
        """Says whether a contestant has not run with a seed.

        Args:
            name: String.
            seed: Integer.

        Returns:
            A boolean.
        """
        return (name, seed) not in self._courses

    def add(self, name, seed, course):
        """Adds a course, and writes all to the file.

        One that failed is not written, so that it is tried again.

        Args:
            name: String.
            seed: Integer.
            course: `Course`.
        """
        self._courses[name, seed] = course
        if self._path is None:
            return
        kept = [
            {"name": name, "seed": seed, **asdict(course)}
            for (name, seed), course in self._courses.items()
            if not course.failed
        ]
        # Killed meanwhile, what hours have measured is still there.
        partial = self._path.with_name(f"{self._path.name}.partial")
        partial.write_text(
            json.dumps({"limit": self._limit, "courses": kept}, indent=1),
            encoding="utf-8",
        )
        partial.replace(self._path)

    def by_name(self, names):
        """Gives the courses of some, with the seeds that all of them have.

        Args:
            names: List of strings.

        Returns:
            A dict from names, the real images' first, to lists of `Course`;
            empty where there is no such seed.
        """
        names = [REAL, *names]
        seeds = sorted({seed for _, seed in self._courses})
        complete = [
            seed
            for seed in seeds
            if not any(self.lacks(name, seed) for name in names)
        ]
        if not complete:
            return {}
        return {
            name: [self._courses[name, seed] for seed in complete]
            for name in names
        }


def compare(found, goal, imports=False):
    """Says how many times as long the best peer takes, for each of ours.

    The best peer is the one with the shortest times; where no peer reached the
    goal, the time at which it was given up is a lower bound.

    Args:
        found: Dict from names to lists of `Course`, one for each seed.
        goal: Float.
        imports: Boolean. Whether to count imports. Defaults to `False`.

    Returns:
        A dict from names of ours to strings.
    """

    def seconds(course):
        shift = course.imports if imports else 0.0
        return shift + course.reached.get(goal, course.ended)

    peers = {
        name: courses
        for name, courses in found.items()
        if name != REAL and not name.startswith("ganaug")
    }
    if not peers:
        return {}
    # Those that reach it come first, those that failed last.
    best = min(
        peers.values(),
        key=lambda courses: (
            -sum(goal in course.reached for course in courses),
            sum(course.failed for course in courses),
            np.median([seconds(course) for course in courses]),
        ),
    )
    said = {}
    for name, courses in found.items():
        if not name.startswith("ganaug"):
            continue
        said[name] = ", ".join(
            _ratio(one, other, goal, seconds)
            for one, other in zip(courses, best, strict=True)
        )
    return said


def _ratio(one, other, goal, seconds):
    if goal not in one.reached:
        return "not reached"
    if goal not in other.reached and other.failed:
        return "peer failed"
    bound = "" if goal in other.reached else "over "
    return f"{bound}{seconds(other) / seconds(one):.1f}"


def make_tables(found):
    """Makes the tables of what was found.

    Args:
        found: Dict from names to lists of `Course`, one for each seed.

    Returns:
        A pair of `rich.table.Table`.
    """
    table = make_table(
        "generator",
        *(f"seconds to a CAS of {goal}, by seed" for goal in GOALS),
        *("best CAS", "imports, seconds"),
    )
    for name, courses in found.items():
        table.add_row(
            name,
            *(
                ", ".join(course.words(goal) for course in courses)
                if name != REAL
                else ""
                for goal in GOALS
            ),
            ", ".join(f"{course.best:.3f}" for course in courses),
            ""
            if name == REAL
            else f"{np.median([one.imports for one in courses]):.1f}",
        )
    ratios = make_table(
        "best peer's time over that of",
        *(
            f"to {goal}{words}, by seed"
            for goal in GOALS
            for words in ("", " with imports")
        ),
    )
    columns = [
        compare(found, goal, imports)
        for goal in GOALS
        for imports in (False, True)
    ]
    for name in columns[0]:
        ratios.add_row(name, *(column[name] for column in columns))
    return table, ratios
