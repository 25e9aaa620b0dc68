"""All trainings of an evaluation: every arm with every seed."""

import time

import numpy as np
import tensorflow as tf

from ganaug.data.splits import fingerprints
from ganaug.evaluate.arms import BEST_CONTROL, as_arm
from ganaug.evaluate.cells import CellKey
from ganaug.evaluate.compatibility import check_generator
from ganaug.evaluate.leakage import (
    note_overlap,
    note_unknown,
    refuse_overlap,
)
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.scores import classification_scores

TEST, CHOICE = "test", "choice"


class Trainings:
    """Trains what is missing, and gives the scores.

    Args:
        arms: Dict from name to `Arm`.
        controls: Sequence of names of those among which one is chosen.
        seeds: List of integers.
        real: `RealImages`.
        test: `LabeledImages`.
        learner: `KerasLearner` or `EstimatorLearner`.
        batch_size: Integer.
        cells: `Cells`.
        allow_overlap: Boolean.
        progress: As in `evaluate_augmentation`, or `None`.
    """

    def __init__(
        self,
        arms,
        controls,
        seeds,
        real,
        test,
        learner,
        batch_size,
        cells,
        allow_overlap=False,
        progress=None,
    ):
        self._arms = arms
        self._controls = controls
        self._seeds = seeds
        self._real = real
        self._test = test
        self._learner = learner
        self._batch_size = batch_size
        self._cells = cells
        self._allow_overlap = allow_overlap
        self._progress = progress
        self._learnt = {}
        self.best_control = None

    def run(self):
        """Trains what is missing.

        Raises:
            ValueError: An arm's data end, are of the wrong kind or hold test
                images, or its loss is not finite.
        """
        late = [
            name
            for name, arm in self._arms.items()
            if arm.on_top_of == BEST_CONTROL
        ]
        early = [name for name in self._arms if name not in late]
        in_time = [(TEST, name) for name in early]
        if late and self._chooses_apart:
            in_time += [(CHOICE, name) for name in self._controls]
        self._total = len(self._seeds) * (len(in_time) + len(late))
        self._work = []
        self._train(in_time)
        if late:
            self.best_control = self._choose()
            self._train([(TEST, name) for name in late])
        if self._progress:
            self._progress(self._total, self._total, None, None)

    @property
    def _chooses_apart(self):
        """Whether trainings of their own choose the control."""
        return self._real.held_out_share is not None

    def scores(self, name):
        """Gives the scores of an arm on the test set.

        Args:
            name: String.

        Returns:
            A list of dicts, one for each seed.
        """
        return [self._found((TEST, name), seed)[TEST] for seed in self._seeds]

    def notes(self):
        """Gives what was noticed in trainings, by whatever process.

        Returns:
            A list of different sentences.
        """
        return list(
            dict.fromkeys(
                note
                for part in self._work
                for seed in self._seeds
                for note in self._found(part, seed)["notes"]
            )
        )

    def validation_scores(self, name):
        """Gives the scores of an arm on validation data.

        Args:
            name: String.

        Returns:
            A list of dicts, one for each seed, or `None` if there are none.
        """
        purpose = TEST
        if self._chooses_apart:
            if self.best_control is None or name not in self._controls:
                return None
            purpose = CHOICE
        cells = [self._found((purpose, name), seed) for seed in self._seeds]
        if any(cell.get("validation") is None for cell in cells):
            return None
        return [cell["validation"] for cell in cells]

    def resolved(self, name):
        """Gives an arm with all that it does.

        Args:
            name: String.

        Returns:
            An `Arm` that is not on top of another.
        """
        arm = self._arms[name]
        if arm.on_top_of is None:
            return arm
        under = self._under_arm(arm)
        return arm.on(self._arms[under], under)

    def under(self, name):
        """Tells on top of which control an arm was.

        Args:
            name: String.

        Returns:
            A string, or `None`.
        """
        return self._under_arm(self._arms[name])

    def _under_arm(self, arm):
        if arm.on_top_of == BEST_CONTROL:
            return self.best_control
        return arm.on_top_of

    def _key(self, purpose, name, seed):
        return CellKey(name, seed, self._under_arm(self._arms[name]), purpose)

    def _found(self, work, seed):
        return self._cells.get(self._key(*work, seed), self._real.hash_of(seed))

    def _choose(self):
        def quality(name):
            scores = self._choice_scores(name)
            return (
                np.mean([score["balanced_accuracy"] for score in scores]),
                -np.mean([score["log_loss"] for score in scores]),
            )

        return max(self._controls, key=quality)

    def _choice_scores(self, name):
        purpose = CHOICE if self._chooses_apart else TEST
        return [
            self._found((purpose, name), seed)["validation"]
            for seed in self._seeds
        ]

    def _train(self, work):
        self._work += work
        # Seeds that another process is at are left to it, since its arms may
        # share a generator; then what it has not begun is taken from it, and
        # what it has begun is waited for.
        groups = self._groups(work)
        for shares, waits in ((False, False), (True, False), (True, True)):
            for seed in self._seeds:
                with self._cells.claim(f"seed {seed}", wait=False) as alone:
                    if alone or shares:
                        for group in groups:
                            self._train_group(group, seed, waits)
                self._learnt.clear()

    def _groups(self, work):
        """Lists of work that share what is learnt for a seed.

        Those that learn nothing come first: nobody waits for them.
        """
        groups = {}
        for purpose, name in work:
            learn = self._arms[name].learn
            key = (purpose, name) if learn is None else id(learn)
            groups.setdefault(key, []).append((purpose, name))
        return sorted(groups.values(), key=self._learns)

    def _learns(self, group):
        return any(self._arms[name].learn is not None for _, name in group)

    def _train_group(self, group, seed, wait):
        if all(self._found(part, seed) for part in group):
            return
        with self._cells.claim(f"{group} {seed}", wait) as claimed:
            if not claimed:
                return
            for purpose, name in group:
                if self._found((purpose, name), seed):
                    continue
                self._tell(name, seed)
                try:
                    self._train_one(purpose, name, seed)
                except (ValueError, tf.errors.InvalidArgumentError) as error:
                    raise ValueError(
                        f"Arm {name!r}, seed {seed}: {error}"
                    ) from error
                except TypeError as error:
                    raise TypeError(
                        f"Arm {name!r}, seed {seed}: {error}"
                    ) from error

    def _train_one(self, purpose, name, seed):
        started = time.perf_counter()
        twin = self._twin(purpose, name, seed)
        if twin is not None:
            self._put(purpose, name, seed, twin, started)
            return
        data = (
            self._real.choice_of(seed)
            if purpose == CHOICE
            else self._real.of(seed)
        )
        arm, notes = self.resolved(name), []
        train = data.fraction(arm.fraction, seed)
        if arm.learn is not None:
            transform, notes = self._learn(name, arm, data, train, seed)
            arm = arm.learnt(transform)
        pipeline = ArmPipeline(name, arm, train, self._batch_size)
        # What could not be checked before the first training.
        late = self._arms[name].on_top_of or self._arms[name].learn
        if late and seed == self._seeds[0]:
            notes = [*notes, *pipeline.check_first_batch(seed)]
        self._learner.train(
            seed,
            pipeline.batches(seed),
            pipeline.logit_shift(seed),
            arm.focal_gamma,
        )
        scores = {"notes": notes}
        if purpose == TEST:
            scores[TEST] = self._score(self._test)
        if data.validation is not None:
            scores["validation"] = self._score(data.validation)
        self._put(purpose, name, seed, scores, started)

    def _twin(self, purpose, name, seed):
        """Scores of an arm that turned out to be the same, if there is one.

        What came on top of the best control often is on top of a named one
        too.
        """
        if self._arms[name].on_top_of is None:
            return None
        wanted = self.resolved(name)
        for other_purpose, other in self._work:
            if other_purpose != purpose or other == name:
                continue
            if self.resolved(other).does_the_same_as(wanted):
                scores = self._found((purpose, other), seed)
                if scores is not None:
                    return scores
        return None

    def _put(self, purpose, name, seed, scores, started):
        self._cells.put(
            self._key(purpose, name, seed),
            self._real.hash_of(seed),
            scores,
            time.perf_counter() - started,
        )

    def _score(self, images):
        return classification_scores(
            images, self._learner.probabilities(images.images)
        )

    def _learn(self, name, arm, data, train, seed):
        key = id(arm.learn), seed, arm.fraction, data.hash
        if key not in self._learnt:
            transform = arm.learn(train, data.validation, seed)
            as_arm(transform)
            check_generator(name, transform, train)
            notes = self._check_learnt(name, transform, data)
            tuning = getattr(transform, "tuning", None)
            if hasattr(tuning, "sentence"):
                said = f"Arm {name!r}, seed {seed}: {tuning.sentence()}"
                notes = [*notes, said]
            self._learnt[key] = transform, notes
        return self._learnt[key]

    def _check_learnt(self, name, transform, data):
        numbers = getattr(transform, "training_fingerprints", None)
        if numbers is None:
            return [note_unknown(name)]
        found = {}
        for kind, images in (
            ("test", self._test),
            ("validation", data.validation),
        ):
            if images is not None:
                note_overlap(
                    found,
                    kind,
                    fingerprints(images),
                    f"what arm {name!r} learnt",
                    numbers,
                )
        note_overlap(
            found,
            "test",
            fingerprints(self._test),
            f"what arm {name!r} was tuned with",
            getattr(transform, "choice_fingerprints", ()),
        )
        return refuse_overlap(found, self._allow_overlap)

    def _tell(self, name, seed):
        if self._progress:
            done = sum(
                bool(self._found(part, seed))
                for part in self._work
                for seed in self._seeds
            )
            self._progress(done, self._total, name, seed)
