"""Where synthetic images come from: drawn live, or out of a bank."""

import numbers
import os

import numpy as np

from ganaug.artifact import Artifact
from ganaug.artifact_id import artifact_id
from ganaug.synthesis.bank import Bank
from ganaug.synthesis.generating import draw_bank, renew_bank
from ganaug.synthesis.generators import Generators
from ganaug.synthesis.selection import Selection

LIVE = "live"
BANK = "bank"
DEFAULT_NUM_PER_CLASS = 256


class ImageSource:
    """Generators, a bank, or a bank and the generators that renew it.

    Args:
        pretrained: `Generators`, or what they take; `None` where `source` is a
            finished bank.
        source: `"live"`, `"bank"`, a `Bank`, or the folder of one.
        bank_size: Integer, or `None`. Images of a bank in memory.
        selection: `Selection` of a bank in memory, or `None`.
        refresh: Float in `[0, 1]`. Share of the bank that is renewed.
        seed: Integer. Fixes the images of a bank in memory.

    Raises:
        TypeError: `pretrained` is nothing to draw with.
        ValueError: Arguments contradict each other, or the bank does not
            belong to `pretrained`.
    """

    def __init__(self, pretrained, source, bank_size, selection, refresh, seed):
        _check_bank_arguments(source, bank_size, selection, refresh)
        self.generators = self.bank = None
        self._selection = selection
        self._refresh = refresh
        self._turn = None
        drawn_here = isinstance(source, str) and source in (LIVE, BANK)
        if drawn_here:
            if pretrained is None:
                raise ValueError(
                    "`pretrained` must say what draws the images: an Artifact, "
                    "a trained model, or a list of them. Only a finished bank "
                    f"needs none. Received: pretrained=None, source={source!r}"
                )
            self.generators = _as_generators(pretrained)
            _check_has_classes(self.generators)
            if source == BANK:
                self.bank = draw_bank(
                    self.generators,
                    _num_per_class(bank_size, self.generators.class_names),
                    seed,
                    selection,
                )
        else:
            self.bank = (
                source if isinstance(source, Bank) else Bank.open(source)
            )
            _check_has_classes(self.bank)
            _check_belongs(self.bank, pretrained)
        if refresh:
            self.bank = self.bank.renewable()

    @property
    def draws(self):
        """The `Generators` or `Bank` that gives the images."""
        return self.generators if self.bank is None else self.bank

    @property
    def is_renewed(self):
        """Whether a part of the bank is renewed each epoch."""
        return self._refresh > 0

    @property
    def is_interpolated(self):
        """Whether images come with soft labels between classes."""
        return self.draws.settings["class_interpolation"] > 0

    def check_classes(self, classes):
        """Checks that there are images of all classes that can be asked for.

        Args:
            classes: Integer array of class indices.

        Raises:
            ValueError: The bank holds none of some class.
        """
        if self.bank is None:
            return
        missing = [
            self.bank.class_names[index]
            for index in classes
            if not self.bank.class_counts[index]
        ]
        if missing:
            raise ValueError(
                f"The bank holds no image of {missing}. Generate a bank with "
                "them, or leave these classes out with a dict as "
                "`sampling_strategy`. Received: a bank of class_counts="
                f"{list(self.bank.class_counts)}"
            )

    def begin_epoch(self, epoch):
        """Renews a part of the bank, if it is to be renewed.

        Args:
            epoch: Integer. The first epoch of a training that goes on is not
                0, and then the bank is brought to where it was.
        """
        if not self._refresh:
            return
        last = self._turn
        self._turn = epoch if last is None else last + 1
        # Earlier turns were written over by later ones.
        earliest = self._turn - int(np.ceil(2 / self._refresh)) + 1
        for turn in range(max(last or 0, earliest - 1, 0), self._turn):
            renew_bank(
                self.bank,
                self.generators,
                self._refresh,
                turn + 1,
                self._selection,
            )


def _check_bank_arguments(source, bank_size, selection, refresh):
    if not isinstance(source, (str, os.PathLike, Bank)):
        raise ValueError(
            "`source` must be 'live', 'bank', a Bank, or the folder of one. "
            f"Received: source={source!r}"
        )
    if not isinstance(refresh, numbers.Real) or not 0 <= refresh <= 1:
        raise ValueError(
            "`refresh` must be in [0, 1], the share of the bank that is "
            f"renewed each epoch. Received: refresh={refresh!r}"
        )
    if bank_size is not None and (
        not isinstance(bank_size, (int, np.integer)) or bank_size < 1
    ):
        raise ValueError(
            "`bank_size` must be a positive integer. "
            f"Received: bank_size={bank_size!r}"
        )
    if selection is not None and not isinstance(selection, Selection):
        raise ValueError(
            "`selection` must be a ganaug.synthesis.selection.Selection. "
            f"Received: selection={selection!r}"
        )
    if isinstance(source, str) and source == BANK:
        return
    given = {
        "bank_size": bank_size,
        "selection": selection,
        "refresh": refresh or None,
    }
    for name, value in given.items():
        if value is None:
            continue
        hint = (
            "What is drawn live cannot wait for more candidates"
            if source == LIVE
            else "A finished bank stays as it is"
        )
        raise ValueError(
            f"`{name}` is for a bank in memory: source='bank'. {hint}. "
            f"Received: {name}={value!r}, source={source!r}"
        )


def _as_generators(pretrained):
    if isinstance(pretrained, (str, os.PathLike)):
        raise _nothing_to_draw_with(pretrained)
    if isinstance(pretrained, Generators):
        return pretrained
    return Generators(pretrained)


def _nothing_to_draw_with(pretrained):
    return TypeError(
        "`pretrained` must be an Artifact, a trained model, a list of them, or "
        "Generators; a folder is read by "
        f"`GANAugmenter.from_pretrained(path)`. Received: {pretrained!r}"
    )


def _check_has_classes(draws):
    if draws.num_classes is None:
        raise ValueError(
            "GANAugmenter mixes in images with labels, and a generator without "
            "classes has none. Train a model with `num_classes`. "
            "Received: num_classes=None"
        )


def _num_per_class(bank_size, class_names):
    num_classes = len(class_names)
    if bank_size is None:
        return DEFAULT_NUM_PER_CLASS
    if bank_size < num_classes:
        raise ValueError(
            "`bank_size` must leave an image for each of the "
            f"{num_classes} classes. Received: bank_size={bank_size}"
        )
    return [
        (bank_size + place) // num_classes
        for place in reversed(range(num_classes))
    ]


def _check_belongs(bank, pretrained):
    if pretrained is None:
        return
    if isinstance(pretrained, Generators):
        bank.check_artifacts(pretrained.ids)
        differing = [
            name
            for name, value in pretrained.settings.items()
            if bank.settings[name] != value
        ]
        if differing:
            raise ValueError(
                "The bank was drawn by these artifacts, but otherwise than "
                "`pretrained` says. Leave `pretrained` out, or make another "
                "bank. Received: "
                + ", ".join(
                    f"{name}={pretrained.settings[name]} for a bank of "
                    f"{bank.settings[name]}"
                    for name in differing
                )
            )
        return
    # Without making generators, for which Keras would have to run on
    # TensorFlow.
    several = isinstance(pretrained, (list, tuple))
    artifacts = [
        one.to_artifact() if hasattr(one, "to_artifact") else one
        for one in (pretrained if several else [pretrained])
    ]
    for one in artifacts:
        if not isinstance(one, Artifact):
            raise _nothing_to_draw_with(one)
    bank.check_artifacts([artifact_id(artifact) for artifact in artifacts])
