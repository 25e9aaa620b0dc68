"""Pretrain, augment and evaluate from Python, on long-tailed digits.

    python examples/long_tailed_digits.py

About four minutes on two cores. It prints the table of arms and the verdict,
and leaves an artifact and a report in `runs/`. What `ganaug demo` does, with
the parts laid open.
"""

import keras
import tensorflow as tf

import ganaug

# 100 images of the digit 0 down to 3 of the digit 9, and 70 of each to test on.
digits = ganaug.load_data(
    "digits", class_counts=(100, 66, 44, 29, 19, 13, 8, 6, 4, 3)
)
train_ds = tf.data.Dataset.from_tensor_slices(
    (digits.train.images, digits.train.labels)
)

# 1. Pretrain, once, and keep the artifact.
gan = ganaug.ConditionalGAN(image_shape=(8, 8, 1), num_classes=10, seed=0)
gan.compile()
gan.fit(train_ds, epochs=10, steps_per_epoch=300)
gan.save_pretrained("runs/digits")

# 2. Augment: a quarter of every batch is synthetic, uniform over the classes.
augmenter = ganaug.GANAugmenter.from_pretrained(
    "runs/digits", ratio=0.25, seed=0
)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10),
    ]
)
model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(
    train_ds.shuffle(1000).batch(64).apply(augmenter), epochs=20, shuffle=False
)

# 3. Evaluate: paired seeds, strong controls, a verdict.
report = ganaug.evaluate_augmentation(
    digits.train,
    digits.test,
    arms={"classic + GAN": ganaug.on_top_of_classic(augmenter)},
    seeds=5,
)
print(report)
report.to_html(
    "runs/digits/report.html",
    {"Synthetic images of each class": "runs/digits/samples.png"},
)
