"""Pictures for people: grids of images by class, and curves of losses."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

from ganaug.data.images import from_unit, to_unit


def to_pixels(images, value_range):
    """Maps images to 8-bit pixels.

    Args:
        images: Array `(num_images, height, width, channels)`.
        value_range: Pair of floats. Their value range.

    Returns:
        A NumPy array of `uint8` of the same shape.
    """
    return from_unit(to_unit(images, value_range), (0, 255), "uint8").numpy()


def save_image_grid(path, rows, row_names, value_range, title=None):
    """Draws rows of images with a name before each row.

    Args:
        path: File to write, by its ending PNG or another that Matplotlib
            knows.
        rows: Sequence of arrays `(num_images, height, width, channels)` with
            1 to 4 channels: gray, gray and alpha, RGB, RGBA.
        row_names: Sequence of strings.
        value_range: Pair of floats. Value range of the images.
        title: String. Defaults to none.
    """
    num_columns = max(len(row) for row in rows)
    height, width = rows[0].shape[1:3]
    inches = 0.55 / max(height, width)
    margin = 0.2 + 0.075 * max(len(name) for name in row_names)
    figure, axes = plt.subplots(
        len(rows),
        num_columns,
        squeeze=False,
        figsize=(
            num_columns * width * inches + margin + 0.1,
            len(rows) * height * inches * 1.06 + (0.4 if title else 0.1),
        ),
    )
    for row_axes, row, name in zip(axes, rows, row_names, strict=True):
        pixels = to_pixels(row, value_range) if len(row) else row
        for axis in row_axes:
            axis.set_axis_off()
        for axis, image in zip(row_axes, pixels, strict=False):
            # Matplotlib knows one, three or four channels.
            if image.shape[-1] <= 2:
                axis.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255)
            else:
                axis.imshow(image)
        row_axes[0].text(
            -0.25,
            0.5,
            name,
            transform=row_axes[0].transAxes,
            ha="right",
            va="center",
            fontsize=8,
            parse_math=False,
        )
    if title:
        figure.suptitle(title, fontsize=9, parse_math=False)
    figure.subplots_adjust(
        left=margin / figure.get_figwidth(),
        right=0.99,
        bottom=0.01,
        top=1 - (0.35 if title else 0.05) / figure.get_figheight(),
        wspace=0.06,
        hspace=0.06,
    )
    figure.savefig(Path(path), dpi=150)
    plt.close(figure)


def save_loss_curves(path, losses):
    """Draws losses by training step.

    Args:
        path: File to write.
        losses: Dict with `"step"` and with one list for each loss, all of one
            length.
    """
    figure, axis = plt.subplots(figsize=(6, 3))
    for name, values in losses.items():
        if name != "step":
            axis.plot(losses["step"], values, label=name, linewidth=1)
    axis.set_xlabel("training step")
    axis.set_ylabel("loss (nats)")
    if losses["step"]:
        axis.legend()
    axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(Path(path), dpi=150)
    plt.close(figure)
