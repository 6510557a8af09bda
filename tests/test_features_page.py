"""The page Features without a browser: it draws each of its views, and labels a group at once and takes that back."""

from __future__ import annotations

import pytest
from app_pages import APP, opened
from builders import BuiltRun, make_run
from patience import PATIENCE_S

from socml.labels import open_labels
from socml.project import Project, run_features_path


@pytest.fixture
def built(app_project: Project) -> BuiltRun:
    return make_run(app_project)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("view", ["features", "map", "groups"])
def test_each_view_is_drawn_in_each_language(view: str, language: str, built: BuiltRun) -> None:
    app = opened("features_page.py", lang=language, view=view)
    assert not app.exception
    assert not app.error
    assert app.query_params["view"] == view


def test_a_group_is_labelled_at_once_and_taken_back_at_once(built: BuiltRun, app_project: Project) -> None:
    app = opened("features_page.py", view="groups")
    app.button(key="cluster_label").click().run()
    assert not app.exception
    with open_labels(app_project) as store:
        given = store.current()
    assert (given["verdict"] == "malicious").all()
    assert len(given) > 1
    assert (~given["suggested"].astype(bool)).sum() == 1, "one verdict, the others only suggested"
    app.button(key="cluster_undo").click().run()
    assert not app.exception
    with open_labels(app_project) as store:
        assert store.current().empty


def test_a_projection_by_labels_says_what_it_lacks(built: BuiltRun) -> None:
    app = opened("features_page.py", view="map")
    app.segmented_control(key="map_method").set_value("lda").run()
    assert not app.exception
    assert "label some first" in app.info[0].value


def test_a_run_without_its_feature_table_says_what_to_do(built: BuiltRun, app_project: Project) -> None:
    from socml.project import read_run

    run_features_path(app_project, read_run(app_project, built.run_id)).unlink()
    app = opened("features_page.py")
    assert not app.exception
    assert "socml features" in app.info[0].value


def test_the_queue_that_was_chosen_on_hunt_is_in_the_address_and_another_order(built: BuiltRun) -> None:
    testing = pytest.importorskip("streamlit.testing.v1")
    app = testing.AppTest.from_file(str(APP / "hunt.py"), default_timeout=PATIENCE_S).run()
    assert not app.exception
    mixed = app.session_state["desk"]
    app.segmented_control(key="queue").set_value("random-audit").run()
    assert not app.exception
    assert app.query_params["queue"] == "random-audit"
    drawn = app.session_state["desk"]
    assert drawn is not mixed
    assert set(drawn.triage.queue_reasons(10)) == {"random-audit"}
