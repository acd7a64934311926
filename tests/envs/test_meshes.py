"""The low-polygon robot."""

import threading
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pybullet as p
import pybullet_data
import pytest

from robossl_envs.errors import EnvError
from robossl_envs.rendering.meshes import NUM_FACES, RobotAssets, build_robot


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> RobotAssets:
    return build_robot("panda", cache_dir=tmp_path_factory.mktemp("cache"))


def _silhouette(urdf: Path) -> np.ndarray:
    client = p.connect(p.DIRECT)
    try:
        p.loadURDF(str(urdf), useFixedBase=True, physicsClientId=client)
        view = p.computeViewMatrix((1.6, 1.2, 1.0), (0.0, 0.0, 0.5), (0, 0, 1))
        projection = p.computeProjectionMatrixFOV(45, 1.0, 0.02, 4.0)
        picture = p.getCameraImage(128, 128, view, projection, renderer=p.ER_TINY_RENDERER, physicsClientId=client)
        return np.reshape(picture[4], (128, 128)) == 0
    finally:
        p.disconnect(client)


def test_face_budget_is_kept(assets: RobotAssets) -> None:
    assert 0.8 * NUM_FACES < assets.num_faces < 1.1 * NUM_FACES


def test_silhouette_is_that_of_the_original(assets: RobotAssets) -> None:
    original = _silhouette(Path(pybullet_data.getDataPath()) / "franka_panda/panda.urdf")
    small = _silhouette(assets.urdf)
    assert (original & small).sum() / (original | small).sum() > 0.92


def test_each_visual_has_one_colour_and_both_greys_occur(assets: RobotAssets) -> None:
    colours = [colour.attrib["rgba"] for colour in ElementTree.parse(assets.urdf).getroot().iter("color")]
    assert len(colours) == len(list(assets.urdf.parent.glob("*.obj")))
    assert {"1 1 1 1", "0.5 0.5 0.5 1"} <= set(colours)


def test_collision_meshes_are_the_originals(assets: RobotAssets) -> None:
    root = ElementTree.parse(assets.urdf).getroot()
    paths = [Path(mesh.attrib["filename"]) for collision in root.iter("collision") for mesh in collision.iter("mesh")]
    assert len(paths) == 11
    assert all(path.is_file() and path.is_relative_to(pybullet_data.getDataPath()) for path in paths)


def test_second_call_reads_the_cache(assets: RobotAssets) -> None:
    before = {path: path.stat().st_mtime_ns for path in assets.urdf.parent.iterdir()}
    again = build_robot("panda", cache_dir=assets.urdf.parents[2])
    assert again == assets
    assert before == {path: path.stat().st_mtime_ns for path in assets.urdf.parent.iterdir()}


def test_two_builders_at_once_leave_one_result(tmp_path: Path) -> None:
    found: list[RobotAssets] = []
    threads = [threading.Thread(target=lambda: found.append(build_robot(cache_dir=tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert [path.name for path in (tmp_path / "robots").iterdir()] == [found[0].urdf.parent.name]


def test_cache_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOSSL_CACHE_DIR", str(tmp_path))
    assert build_robot().urdf.is_relative_to(tmp_path)


def test_unknown_robot_is_refused_with_the_closest_name() -> None:
    with pytest.raises(EnvError, match=r"unknown robot 'pandas'.*did you mean 'panda'"):
        build_robot("pandas")


def test_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvError, match="set ROBOSSL_CACHE_DIR"):
        build_robot(cache_dir=tmp_path / "file")
