"""Pictures for people: grids of images by class, and curves of losses."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ganaug.data.images import from_unit, to_unit

# Of the longer side of an image in a grid, and of the gap beside it.
INCHES = 0.55
GAP = 0.06


def to_pixels(images, value_range):
    """Maps images to 8-bit pixels.

    Args:
        images: Array `(num_images, height, width, channels)`.
        value_range: Pair of floats. Their value range.

    Returns:
        A NumPy array of `uint8` of the same shape.
    """
    return from_unit(to_unit(images, value_range), (0, 255), "uint8").numpy()


def save_image_grid(
    path, rows, row_names, value_range, title=None, halves=None
):
    """Draws rows of images with a name before each row.

    Args:
        path: File to write, by its ending PNG or another that Matplotlib
            knows, or a file object, which gets PNG.
        rows: Sequence of arrays `(num_images, height, width, channels)` with
            1 to 4 channels: gray, gray and alpha, RGB, RGBA.
        row_names: Sequence of strings.
        value_range: Pair of floats. Value range of the images.
        title: String. Defaults to none.
        halves: Pair of strings: the names of a left and of a right half. Then
            each row is a pair of arrays, for the left and the right one.
            Defaults to one part without a name.
    """
    if halves is None:
        rows = [(row,) for row in rows]
    parts = list(zip(*rows, strict=True))
    lengths = [max(len(row) for row in part) for part in parts]
    height, width = rows[0][0].shape[1:3]
    gap = GAP * max(height, width)
    # Columns where parts begin; between two, half a column stays free.
    begins = np.cumsum([0, *(length + 0.5 for length in lengths[:-1])])
    num_columns = begins[-1] + lengths[-1]
    inches = INCHES / max(height, width)
    margin = 0.2 + 0.075 * max(len(name) for name in row_names)
    top = (0.35 if title else 0.05) + (0.2 if halves else 0)
    grid = (
        num_columns * (width + gap) * inches,
        len(rows) * (height + gap) * inches,
    )
    # Without pyplot, whose windows are the user's.
    figure = Figure(figsize=(margin + grid[0], top + grid[1]))
    # One for all: to make one for each image would take most of the time.
    axis = figure.add_axes(
        (
            margin / figure.get_figwidth(),
            0,
            grid[0] / figure.get_figwidth(),
            grid[1] / figure.get_figheight(),
        )
    )
    axis.set_axis_off()
    for y, (row, name) in enumerate(zip(rows, row_names, strict=True)):
        bottom = -y * (height + gap)
        axis.text(
            -2 * gap,
            bottom - height / 2,
            name,
            ha="right",
            va="center",
            fontsize=8,
            parse_math=False,
        )
        columns = [
            (begin + x, image)
            for begin, images in zip(begins, row, strict=True)
            for x, image in enumerate(to_pixels(images, value_range))
        ]
        for x, image in columns:
            left = x * (width + gap)
            # Matplotlib knows one, three or four channels.
            axis.imshow(
                image[..., 0] if image.shape[-1] <= 2 else image,
                cmap="gray",
                vmin=0,
                vmax=255,
                extent=(left, left + width, bottom - height, bottom),
            )
    for begin, length, name in zip(begins, lengths, halves or (), strict=False):
        axis.text(
            (begin + length / 2) * (width + gap),
            2 * gap,
            name,
            ha="center",
            va="bottom",
            fontsize=8,
            parse_math=False,
        )
    axis.set(
        xlim=(0, num_columns * (width + gap)),
        ylim=(-len(rows) * (height + gap), 0),
    )
    if title:
        figure.suptitle(title, fontsize=9, parse_math=False)
    figure.savefig(path, dpi=150)


def save_loss_curves(path, losses):
    """Draws losses by training step.

    Args:
        path: File to write.
        losses: Dict with `"step"` and with one list for each loss, all of one
            length.
    """
    figure = Figure(figsize=(6, 3))
    axis = figure.subplots()
    for name, values in losses.items():
        if name != "step":
            # The dots are there for a single step, which makes no line.
            axis.plot(losses["step"], values, ".-", label=name, linewidth=1)
    axis.set_xlabel("training step")
    axis.set_ylabel("loss")
    if losses["step"]:
        axis.legend()
    axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(Path(path), dpi=150)
