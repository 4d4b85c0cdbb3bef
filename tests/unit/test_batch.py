"""A stage's files are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.batch import whole_file


def test_a_file_takes_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def write() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise OSError

    with pytest.raises(OSError):
        write()
    assert path.read_text() == "before"


def test_what_an_earlier_death_left_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_text("of a process that died")
    with whole_file(tmp_path / "file") as temporary:
        assert not temporary.exists()
        temporary.write_text("whole")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
