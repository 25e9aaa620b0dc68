"""The card of a synthetic data set, for a person to read."""

import jinja2

from ganaug.export.eight_bit import is_eight_bit

CARD_FILE = "README.md"
TEMPLATE = """\
# Synthetic images, drawn by ganaug

{{ num_images }} images, {{ shape|join(" x ") }} (height, width, channels), \
{{ dtype }} from {{ "%g"|format(low) }} to {{ "%g"|format(high) }}, sorted by \
class. None of them is real.
{%- if mapped %} The generator draws {{ source_dtype }} from \
{{ "%g"|format(source_low) }} to {{ "%g"|format(source_high) }}; they were \
mapped to 8 bits and rounded.{% endif %}

| class | images |
|---|---|
{% for name, count in counts -%}
| {{ name|replace("|", "\\\\|") }} | {{ count }} |
{% endfor %}
## Use

{{ use }}
Train on them, together with real images. Never test on them.

## Provenance

| | |
|---|---|
| artifacts | {{ settings.artifacts|join(", ") }} |
| seed | {{ record.seed }} |
| latents | {{ settings.latents }} |
| truncation | {{ settings.truncation }} |
{% if settings.class_interpolation -%}
| class interpolation | {{ settings.class_interpolation }} |
{% endif -%}
{% if record.selection -%}
| selection | {{ record.selection|tojson }} |
{% endif -%}
{% for name, version in record.versions.items() -%}
| {{ name }} | {{ version }} |
{% endfor %}
Each image has an artifact, a seed pair, an index and a label. They make it \
again, from the artifact's folder:

```python
from ganaug import artifact
from ganaug.synthesis.generators import Generators

generators = Generators(
    artifact.load("path/to/run"),
    latents={{ settings.latents|tojson }},
    truncation={{ settings.truncation }},
{%- if settings.class_interpolation %}
    class_interpolation={{ settings.class_interpolation }},
{%- endif %}
)
image = generators.remake(label, seed, index)
```

## Limits

Synthetic images can be wrong for their class, alike, or close to an image the \
generator was trained on. Where that image may not be given away, think before \
you give these away. Whether they help a classifier is to be measured, with \
`ganaug evaluate`, and not assumed.
"""


def render_card(bank, use, eight_bit=False):
    """Writes the text of the card.

    Args:
        bank: `ganaug.synthesis.bank.Bank`.
        use: String of Markdown. How the data set is read.
        eight_bit: Boolean. Whether the images were written with 8 bits a
            channel, whatever the bank holds. Defaults to `False`.

    Returns:
        A string of Markdown.
    """
    mapped = eight_bit and not is_eight_bit(bank)
    low, high = (0, 255) if eight_bit else bank.value_range
    source_low, source_high = bank.value_range
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.from_string(TEMPLATE).render(
        record=bank.record,
        settings=bank.settings,
        use=use,
        num_images=len(bank),
        shape=bank.image_shape,
        dtype="uint8" if eight_bit else bank.image_dtype,
        low=low,
        high=high,
        mapped=mapped,
        source_dtype=bank.image_dtype,
        source_low=source_low,
        source_high=source_high,
        counts=list(zip(bank.class_names, bank.class_counts, strict=True)),
    )


def write_card(bank, folder, use, eight_bit=False):
    """Writes `README.md`.

    Args:
        bank: As in `render_card`.
        folder: `pathlib.Path` of the folder.
        use: As in `render_card`.
        eight_bit: As in `render_card`. Defaults to `False`.
    """
    text = render_card(bank, use, eight_bit)
    (folder / CARD_FILE).write_text(text, "utf-8")
