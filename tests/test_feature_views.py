"""Projection, clusters and profiles of a feature table: what they show of rows whose shape is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from socml.explanations import cluster_rows, correlated_features, profile_features, project_rows
from socml.project import DataError, UnknownName


@pytest.fixture
def two_clouds() -> pd.DataFrame:
    """Forty rows: thirty that send little to one port, ten that send much to many."""
    rng = np.random.default_rng(3)
    heavy = np.repeat([False, True], [30, 10])
    return pd.DataFrame(
        {
            "bytes": np.where(heavy, 9e6, 900) * rng.uniform(0.9, 1.1, 40),
            "ports": np.where(heavy, 200, 2) * rng.uniform(0.9, 1.1, 40),
            "noise": rng.normal(size=40),
            "transport": np.where(heavy, "udp", "tcp"),
        },
        index=pd.Index([f"r{i}" for i in range(40)], name="row_id"),
    )


@pytest.fixture
def verdicts() -> pd.Series:
    """What was said: the ten are malicious, ten of the others benign."""
    return pd.Series({f"r{i}": "malicious" if i >= 30 else "benign" for i in [*range(10), *range(30, 40)]})


@pytest.mark.parametrize("method", ["k-means", "gaussian-mixture", "hdbscan"])
def test_every_way_of_clustering_finds_the_two_clouds(two_clouds: pd.DataFrame, method: str) -> None:
    found = cluster_rows(two_clouds.drop(columns="noise"), method=method, n_clusters=2, least=5)
    assert [group.size for group in found.groups] == [30, 10]
    assert set(found.cluster.iloc[30:]) == {1}
    assert "bytes" in found.groups[1].higher
    assert found.groups[1].nearest in two_clouds.index[30:]


@pytest.mark.parametrize("method", ["pca", "tsne", "lda"])
def test_rows_of_one_cloud_lie_nearer_to_each_other_than_to_the_other(
    two_clouds: pd.DataFrame, verdicts: pd.Series, method: str
) -> None:
    points = project_rows(two_clouds, method=method, labels=verdicts).points.to_numpy()
    light, heavy = points[:30], points[30:]
    between = np.linalg.norm(light.mean(axis=0) - heavy.mean(axis=0))
    assert between > np.linalg.norm(light - light.mean(axis=0), axis=1).mean()
    assert between > np.linalg.norm(heavy - heavy.mean(axis=0), axis=1).mean()


def test_the_first_axis_is_named_by_the_features_that_make_it(two_clouds: pd.DataFrame) -> None:
    found = project_rows(two_clouds)
    assert "noise" not in found.axes[0]
    assert 0.5 < found.shares[0] <= 1.0


def test_the_same_rows_give_the_same_points_and_clusters(two_clouds: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(project_rows(two_clouds).points, project_rows(two_clouds).points)
    pd.testing.assert_series_equal(cluster_rows(two_clouds).cluster, cluster_rows(two_clouds).cluster)


def test_more_clusters_than_distinct_rows_are_no_error() -> None:
    table = pd.DataFrame({"flows": [1.0, 1.0, 1.0, 5.0]}, index=list("abcd"))
    assert [group.size for group in cluster_rows(table, n_clusters=8).groups] == [3, 1]


def test_one_feature_still_makes_a_plane() -> None:
    table = pd.DataFrame({"flows": [1.0, 2.0, 3.0]}, index=list("abc"))
    assert project_rows(table).points.shape == (3, 2)


def test_what_cannot_be_drawn_is_said(two_clouds: pd.DataFrame) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'pca'"):
        project_rows(two_clouds, method="pac")
    with pytest.raises(UnknownName, match="k-means"):
        cluster_rows(two_clouds, method="kmeans")
    with pytest.raises(DataError, match="label some first"):
        project_rows(two_clouds, method="lda", labels=pd.Series({"r1": "benign"}))
    with pytest.raises(DataError, match="needs 3 rows"):
        project_rows(two_clouds.iloc[28:30])


def test_the_counts_of_a_histogram_are_all_known_rows_by_label(two_clouds: pd.DataFrame, verdicts: pd.Series) -> None:
    table = two_clouds.assign(ports=two_clouds["ports"].where(two_clouds.index != "r0"))
    found = {profile.feature: profile for profile in profile_features(table, verdicts)}
    counted = {label: sum(counts) for label, counts in found["ports"].counts.items()}
    assert counted == {"": 20, "benign": 9, "malicious": 10}
    assert found["ports"].missing == pytest.approx(1 / 40)
    assert found["bytes"].is_log
    assert found["transport"].values == ("tcp", "udp")
    assert found["transport"].counts["malicious"] == (0, 10)


def test_a_feature_that_says_the_label_is_named_a_leak_and_another_is_not(
    two_clouds: pd.DataFrame, verdicts: pd.Series
) -> None:
    found = {profile.feature: profile for profile in profile_features(two_clouds, verdicts)}
    assert "leak" in found["bytes"].warnings
    assert "leak" not in found["noise"].warnings
    assert found["noise"].separation is not None
    unlabelled = profile_features(two_clouds)[0]
    assert unlabelled.separation is None
    assert unlabelled.warnings == ()


def test_features_that_are_constant_or_mostly_missing_are_named() -> None:
    table = pd.DataFrame({"one": [1.0] * 4, "few": [1.0, 2.0, None, None], "fewer": [1.0, None, None, None]})
    found = {profile.feature: profile.warnings for profile in profile_features(table)}
    assert found == {"one": ("constant",), "few": (), "fewer": ("constant", "mostly-missing")}


def test_features_that_rise_together_are_a_pair_whatever_their_scale(two_clouds: pd.DataFrame) -> None:
    table = two_clouds.assign(kilobytes=np.log(two_clouds["bytes"]), down=-two_clouds["bytes"])
    pairs = {(pair.first, pair.second): pair.correlation for pair in correlated_features(table)}
    assert pairs["bytes", "kilobytes"] == pytest.approx(1.0)
    assert pairs["bytes", "down"] == pytest.approx(-1.0)
    assert not any("noise" in names for names in pairs)


def test_an_empty_table_and_a_feature_without_values_have_profiles() -> None:
    table = pd.DataFrame({"flows": pd.Series([None, None], dtype="float64")})
    assert profile_features(table)[0].low is None
    assert profile_features(table.iloc[:0])[0].counts == {}
