"""The model card of an artifact, for a person to read."""

import jinja2

TEMPLATE = """\
# A pretrained generator of ganaug

It draws images \
{%- if conditional %} of {{ names|length }} classes{% else %}, without \
classes{% endif %}: {{ shape|join(" x ") }} (height, width, channels), \
{{ record.images.dtype }} from {{ "%g"|format(low) }} to \
{{ "%g"|format(high) }}.

![Synthetic images](samples.png)

## Use

{% if conditional -%}
```python
import ganaug

augmenter = ganaug.GANAugmenter.from_pretrained("path/to/this/folder")
train_ds = train_ds.apply(augmenter)
```
{%- else -%}
```sh
ganaug sample path/to/this/folder --out picture.png
```

Its images have no labels, so they cannot augment the training of a classifier.
{%- endif %}
{% if record.latents %}
It was trained with an encoder. `latents` (`--latents`) says where the \
latents of its images come from: \
{{ record.latents.kinds|map("tojson")|join(", ") }}. All but the prior's \
start from {{ record.latents.count }} encoded training images. Their latents \
are in `latents.safetensors`; decoded, they look like those images.
{% endif %}
## Training data

{{ record.fingerprints.count }} real images. Never test a classifier on them: \
`ganaug.json` holds a fingerprint of each, and evaluation refuses a test set \
that holds one.

{% if conditional -%}
| class | images |
|---|---|
{% for name, count in counts -%}
| {{ name|replace("|", "\\\\|") }} | {{ count }} |
{% endfor %}
{% endif -%}
## Training

| | |
|---|---|
| architecture | {{ record.architecture.name }} |
{% for name, value in record.training.items()
if name != "class_counts" and value != [] -%}
| {{ name|replace("_", " ") }} | {{ value }} |
{% endfor %}
## Limits

Synthetic images can be wrong for their class, alike, or close to a training \
image, the more so the fewer real images a class had. Whether they help a \
classifier is to be measured, with `ganaug evaluate`, and not assumed.

Written by ganaug {{ record.versions.ganaug }} with TensorFlow \
{{ record.versions.tensorflow }} and Keras {{ record.versions.keras }}.
"""


def render_model_card(record):
    """Writes the model card.

    Args:
        record: Dict, the content of `ganaug.json`.

    Returns:
        A string of Markdown.
    """
    names = record["class_names"]
    counts = record["training"].get("class_counts", ["?"] * len(names))
    arguments = record["architecture"]["arguments"]
    low, high = record["images"]["value_range"]
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.from_string(TEMPLATE).render(
        record=record,
        names=names,
        shape=arguments["image_shape"],
        conditional=arguments["num_classes"] is not None,
        low=low,
        high=high,
        counts=list(zip(names, counts, strict=True)),
    )
