"""How much may be sent in a form with a file: refused before a byte of it is kept."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MOST_BYTES = 5 * 2**20
BESIDE = 65_536  # the fields around the file


class BoundedUploadHandler(FileUploadHandler):
    """Stands before those that keep files. Raises RequestDataTooBig."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        if content_length > MOST_BYTES + BESIDE:
            raise RequestDataTooBig("A file may have at most 5 MiB.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
