"""A worker process of tf.data's service: address of the dispatcher, port."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

service = tf.data.experimental.service
worker = service.WorkerServer(
    service.WorkerConfig(
        dispatcher_address=sys.argv[1],
        port=int(sys.argv[2]),
        heartbeat_interval_ms=100,
    )
)
print("ready", flush=True)
worker.join()
