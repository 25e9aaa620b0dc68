"""The model card of an artifact, for a person to read."""

import jinja2

TEMPLATE = """\
# A pretrained generator of ganaug

It draws images of {{ names|length }} classes, \
{{ shape[0] }} x {{ shape[1] }} pixels with {{ shape[2] }} channels, as \
{{ record.images.dtype }} in {{ record.images.value_range }}.

![Images of each class, all of them synthetic](samples.png)

## Use

```python
import ganaug

augmenter = ganaug.GANAugmenter.from_pretrained("path/to/this/folder")
train_ds = train_ds.apply(augmenter)
```
{% if record.latents %}
It was trained with an encoder. `latents` of the augmenter says where the \
latents of its images come from: \
{{ record.latents.kinds|map("tojson")|join(", ") }}. All but the prior's \
start from {{ record.latents.count }} encoded training images. Their latents \
are in `latents.safetensors`; decoded, they look like those images.
{% endif %}
## Training data

{{ record.fingerprints.count }} real images. Never test a classifier on them: \
`ganaug.json` holds a fingerprint of each, and evaluation refuses a test set \
that holds one.

| class | images |
|---|---|
{% for name, count in counts -%}
| {{ name|replace("|", "\\\\|") }} | {{ count }} |
{% endfor %}
## Training

| | |
|---|---|
{% for name, value in record.training.items() if name != "class_counts" -%}
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
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.from_string(TEMPLATE).render(
        record=record,
        names=names,
        shape=record["architecture"]["arguments"]["image_shape"],
        counts=list(zip(names, counts, strict=True)),
    )
