"""Synthetic images as PNG files, one folder for each class."""

from PIL import Image

from ganaug.export.card import write_card
from ganaug.export.eight_bit import check_channels, eight_bit_images
from ganaug.export.provenance import write_provenance
from ganaug.export.whole_folder import whole_folder

MAX_NAME_BYTES = 255
MIN_DIGITS = 6
USE = """\
`CLASS/NUMBER.png`; the number is the image's row in `provenance.npz`. Class
folders have no order but the alphabet's, which is then that of the labels.

```python
import ganaug

data = ganaug.load_data("path/to/this/folder", test_fraction=0)
```
"""


def check_source(source):
    """Checks that the images can be such a folder.

    Args:
        source: `ganaug.synthesis.bank.Bank`, or the generators of one.

    Raises:
        ValueError: There are no image files with so many channels, or a class
            name can be no folder's.
    """
    check_channels(source.image_shape)
    wrong = [
        name
        for name in source.class_names
        if not name
        or name.startswith(".")
        or name == "train"
        or set(name) & {"/", "\\", "\0"}
        or len(name.encode()) > MAX_NAME_BYTES
    ]
    if wrong:
        raise ValueError(
            "The format folder makes one folder for each class, so no class "
            "name may be empty, begin with a dot, hold a slash, have more than "
            f"{MAX_NAME_BYTES} bytes, or be `train`, which means a split. Use "
            f"the format npz or bank. Received: class_names={wrong}"
        )


def write(bank, path, on_progress=None):
    """Writes `CLASS/NUMBER.png`, the card and the provenance.

    Args:
        bank: `ganaug.synthesis.bank.Bank`.
        path: Folder, new or empty.
        on_progress: Callable `on_progress(num_done, num_images)`. Defaults to
            `None`.

    Raises:
        FileExistsError: The folder holds something.
        ValueError: As in `check_source`.
    """
    check_source(bank)
    digits = max(MIN_DIGITS, len(str(len(bank) - 1)))
    with whole_folder(path) as folder:
        for name in bank.class_names:
            # Classes without images are classes too.
            (folder / name).mkdir()
        images = eight_bit_images(bank, on_progress)
        rows = enumerate(zip(images, bank.labels, strict=True))
        for row, (image, label) in rows:
            pixels = image[..., 0] if image.shape[-1] == 1 else image
            file = folder / bank.class_names[label] / f"{row:0{digits}}.png"
            Image.fromarray(pixels).save(file)
        write_provenance(bank, folder)
        write_card(bank, folder, USE, eight_bit=True)
