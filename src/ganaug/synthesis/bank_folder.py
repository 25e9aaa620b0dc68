"""A bank on disk while it is written: it can be killed and goes on.

- `plan.json`: what is to be drawn. Who goes on must want the same.
- `images.bin`, `provenance.bin`, `targets.bin`: raw rows in class order, at
  their full size from the start, with holes where nothing is drawn yet.
- `journal.jsonl`: a line for each chunk that is in them, with its CRC-32,
  written after it.

`bank.json` is written last, under another name first, and makes it a bank.
"""

import contextlib
import errno
import json
import os
import shutil
import zlib
from pathlib import Path

import numpy as np

from ganaug.synthesis.bank_record import (
    FINGERPRINTS,
    RECORD,
    dump_record,
    file_sha256,
    parse_record,
    read_record,
)
from ganaug.synthesis.columns import file_name

PLAN = "plan.json"
JOURNAL = "journal.jsonl"
PARTIAL = ".partial"
COPY_BYTES = 2**24


class BankFolder:
    """Writes a bank, or goes on with one that was not finished.

    Args:
        path: Folder: new, empty, or with a bank of the same plan.
        plan: Dict of plain data: all that the images depend on.
        specs: Dict of columns, as `column_specs` gives it.
        states: List of `ClassState`, which are set to what is there.

    Raises:
        FileExistsError: The folder holds something else, or a bank of another
            plan.
        OSError: The disk has no room for the bank.
    """

    def __init__(self, path, plan, specs, states):
        self.path = Path(path)
        self._plan = json.loads(json.dumps(plan))
        self._specs = specs
        self._states = states
        quotas = np.array([state.quota for state in states], np.int64)
        self._starts = np.cumsum(quotas) - quotas
        self._num_rows = int(quotas.sum())
        self._files = contextlib.ExitStack()
        self._open = {}
        self.is_finished = self._is_finished()
        if not self.is_finished:
            self._begin()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._files.close()

    def _is_finished(self):
        """Looks what is there, and refuses what is not of this plan."""
        if (self.path / RECORD).is_file():
            record = read_record(self.path)
            found = {name: record.get(name) for name in self._plan}
            self._check_same(found, "a finished bank")
            self._remove_traces()
            return True
        if (self.path / PLAN).is_file():
            found = parse_record(self.path / PLAN)
            self._check_same(found, "an unfinished bank")
        elif self.path.exists() and (
            not self.path.is_dir()
            or {entry.name for entry in self.path.iterdir()} - {PLAN + PARTIAL}
        ):
            raise FileExistsError(
                "The output folder holds something else, which is not "
                "overwritten. Name a new or empty folder. "
                f"Received: {os.fspath(self.path)!r}"
            )
        return False

    def _check_same(self, found, what):
        other = [
            name
            for name, value in self._plan.items()
            if found.get(name) != value
        ]
        if other:
            raise FileExistsError(
                f"The output folder holds {what} with other {other}, which is "
                "not overwritten. Name a new or empty folder, or ask for the "
                f"same again. Received: {os.fspath(self.path)!r}"
            )

    def _begin(self):
        row_bytes = {
            name: np.dtype(dtype).itemsize * int(np.prod(shape))
            for name, (dtype, shape) in self._specs.items()
        }
        self._check_room(sum(row_bytes.values()) * self._num_rows)
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / PLAN).is_file():
            self._write_whole(PLAN, dump_record(self._plan))
        for name, num_bytes in row_bytes.items():
            path = self.path / file_name(name)
            path.touch()
            file = self._files.enter_context(path.open("r+b", buffering=0))
            file.truncate(num_bytes * self._num_rows)
            self._open[name] = file, num_bytes
        lines = self._trusted_lines()
        self._write_whole(
            JOURNAL, "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        )
        self._journal = self._files.enter_context(
            (self.path / JOURNAL).open("ab", buffering=0)
        )

    def _check_room(self, num_bytes):
        folder = next(
            one
            for one in (self.path, *self.path.absolute().parents)
            if one.is_dir()
        )
        there = 0
        if folder == self.path:
            # What is written, without the holes.
            there = sum(
                512 * entry.stat().st_blocks for entry in folder.iterdir()
            )
        free = shutil.disk_usage(folder).free
        if num_bytes - there > free:
            raise OSError(
                errno.ENOSPC,
                f"The bank needs {num_bytes / 1e6:,.1f} MB, of which "
                f"{there / 1e6:,.1f} MB are written, and the disk has "
                f"{free / 1e6:,.1f} MB left. Make room, or ask for fewer "
                "images",
                os.fspath(self.path),
            )

    def _trusted_lines(self):
        """Sets the states to the chunks that are in the files as they were."""
        path = self.path / JOURNAL
        lines, broken = [], set()
        for text in path.read_bytes().splitlines() if path.is_file() else ():
            try:
                line = json.loads(text)
                label, is_next = line["label"], self._is_next(line)
            except (ValueError, TypeError, LookupError):
                # Cut off where the work was.
                continue
            if is_next and label not in broken:
                self._states[label].take(line["count"], line["passed"])
                lines.append(line)
            else:
                broken.add(label)
        return lines

    def _is_next(self, line):
        state = self._states[line["label"]]
        return (
            line["number"] == state.chunks
            and line["count"] <= state.quota - state.filled
            and line["crc32"]
            == self._crc32(line["label"], state.filled, line["count"])
        )

    def _crc32(self, label, filled, count):
        crc32 = 0
        for file, num_bytes in self._open.values():
            file.seek((int(self._starts[label]) + filled) * num_bytes)
            crc32 = zlib.crc32(file.read(count * num_bytes), crc32)
        return crc32

    def write(self, chunk):
        """Writes a chunk; the state of its class must count it already.

        Args:
            chunk: `ganaug.synthesis.chunks.Chunk`.

        Raises:
            OSError: The disk is full. What was written stays, and the work
                can go on.
        """
        filled = self._states[chunk.label].filled - len(chunk)
        row = int(self._starts[chunk.label]) + filled
        crc32 = 0
        with self._room():
            for name, (file, num_bytes) in self._open.items():
                array = np.ascontiguousarray(chunk.columns[name])
                file.seek(row * num_bytes)
                _write_all(file, array.tobytes())
                crc32 = zlib.crc32(array.tobytes(), crc32)
            line = {
                "label": chunk.label,
                "number": chunk.number,
                "count": len(chunk),
                "passed": chunk.passed,
                "crc32": crc32,
            }
            _write_all(self._journal, f"{json.dumps(line)}\n".encode())

    @contextlib.contextmanager
    def _room(self):
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            done = sum(state.filled for state in self._states)
            raise OSError(
                error.errno,
                f"The disk is full after {done} of {self._num_rows} images. "
                "Make room and ask for the same again: the work goes on there",
                os.fspath(self.path),
            ) from error

    def finish(self, result, fingerprints):
        """Makes the folder a bank.

        Args:
            result: Dict of plain data, which is added to the plan.
            fingerprints: NumPy array of `uint64`.

        Raises:
            OSError: The disk is full.
        """
        with self._room():
            for name, (file, num_bytes) in self._open.items():
                self._close_gaps(name, file, num_bytes)
            (self.path / FINGERPRINTS).write_bytes(
                np.asarray(fingerprints, np.uint64).tobytes()
            )
            sha256s = {}
            names = [*map(file_name, self._open), FINGERPRINTS]
            for name in names:
                with open(self.path / name, "r+b") as file:
                    os.fsync(file.fileno())
                sha256s[name] = file_sha256(self.path / name)
            record = {**self._plan, **result, "sha256s": sha256s}
            self._write_whole(RECORD, dump_record(record))
        self._remove_traces()

    def _close_gaps(self, name, file, num_bytes):
        """Copies the rows together, where a class did not fill its quota."""
        path = self.path / file_name(name)
        num_filled = sum(state.filled for state in self._states)
        if path.stat().st_size == num_filled * num_bytes:
            return
        partial = path.with_name(path.name + PARTIAL)
        with open(partial, "wb") as dense:
            for start, state in zip(self._starts, self._states, strict=True):
                file.seek(int(start) * num_bytes)
                left = state.filled * num_bytes
                while left:
                    blob = file.read(min(COPY_BYTES, left))
                    dense.write(blob)
                    left -= len(blob)
        os.replace(partial, path)

    def _write_whole(self, name, blob):
        partial = self.path / (name + PARTIAL)
        with open(partial, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, self.path / name)

    def _remove_traces(self):
        for name in (PLAN, JOURNAL):
            (self.path / name).unlink(missing_ok=True)


def _write_all(file, blob):
    # A nearly full disk takes a part of it without an error.
    view = memoryview(blob)
    while view:
        view = view[file.write(view) :]
