"""The way to the queue."""

import time

import pytest
from kombu.exceptions import OperationalError

from vbalance.celery import app


def test_a_lost_queue_is_tried_again_at_once_and_often(tmp_path):
    nobody = app.connection_for_read(f"redis+socket://{tmp_path}/nobody.sock")
    began = time.monotonic()
    with pytest.raises(OperationalError):
        nobody.ensure_connection(max_retries=3)
    assert time.monotonic() - began < 1.9  # Celery's own way waits 2 s before the second attempt


def test_nobody_gives_up_waiting_for_the_queue():
    assert app.conf.broker_connection_max_retries is None
