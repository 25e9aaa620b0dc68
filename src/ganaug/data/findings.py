"""Findings: what is wrong with a data set, or good to know of it."""

from dataclasses import dataclass

# Training or evaluation refuses the data; it spoils what is learnt or
# measured; good to know.
ERROR, WARNING, NOTE = "error", "warning", "note"
MAX_EXAMPLES = 10


@dataclass(frozen=True)
class Finding:
    """Something that was found in a data set.

    Args:
        level: String. `"error"`: training or evaluation refuses the data;
            `"warning"`: it spoils what is learnt or measured; `"note"`: good
            to know.
        name: String. The kind of thing.
        text: String. Sentences that say what was found and what to do.
        count: Integer. How many images, files or classes it is about.
        examples: Tuple of strings, up to ten. Defaults to none.
    """

    level: str
    name: str
    text: str
    count: int
    examples: tuple = ()

    @classmethod
    def about(cls, level, name, text, items):
        """Makes a finding about a list of things.

        Args:
            level: String.
            name: String.
            text: String.
            items: List of strings. They are counted, and the first are the
                examples.

        Returns:
            A `Finding`.
        """
        return cls(level, name, text, len(items), tuple(items[:MAX_EXAMPLES]))


def refuse(findings, name, error):
    """Raises an error, or makes a finding of it where those are collected.

    Args:
        findings: List that gets a `Finding`, or `None` to raise.
        name: String. The kind of thing.
        error: `ValueError`.

    Raises:
        ValueError: `findings` is `None`.
    """
    if findings is None:
        raise error
    findings.append(Finding(ERROR, name, str(error), 1))


def few(items):
    """Lists the first ten of some things.

    Args:
        items: Iterable of anything that `str` takes.

    Returns:
        A string.

    Example:

    >>> few("ab"), few(range(12))
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more')
    """
    items = [str(item) for item in items]
    more = len(items) - MAX_EXAMPLES
    text = ", ".join(items[:MAX_EXAMPLES])
    return f"{text} and {more} more" if more > 0 else text
