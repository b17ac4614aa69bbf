from __future__ import annotations

from worker import resources


def test_templates_are_found_beside_the_package_in_a_checkout():
    assert (resources.templates_dir() / "mail" / "layout.html.j2").is_file()
    assert resources.seeds_dir().name == "seeds"


def test_in_a_wheel_they_are_found_inside_the_package(tmp_path, monkeypatch):
    (tmp_path / "worker" / "_resources" / "templates").mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "worker")
    assert resources.templates_dir() == tmp_path / "worker" / "_resources" / "templates"
    assert resources.seeds_dir() == tmp_path / "seeds"
