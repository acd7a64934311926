"""The low-polygon robot."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pybullet as p
import pybullet_data
import pytest

from robossl_envs.errors import EnvError
from robossl_envs.rendering import meshes
from robossl_envs.rendering.meshes import NUM_FACES, RobotAssets, Source, build_robot


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> RobotAssets:
    """Build with two threads at once: the simplifier alone would mix their meshes."""
    folder = tmp_path_factory.mktemp("cache")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: build_robot("panda", cache_dir=folder), range(2))
    assert first == second
    return first


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


def test_two_threads_at_once_leave_one_result(assets: RobotAssets) -> None:
    assert list(assets.urdf.parents[1].iterdir()) == [assets.urdf.parent]


def test_a_process_that_comes_second_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "panda-0"

    def overtaken(source: Path, into: Path, *, final: Path, robot: Source) -> None:
        (into / "part.obj").write_text("mine")
        final.mkdir()
        (final / "part.obj").write_text("the other's")

    monkeypatch.setattr(meshes, "_build", overtaken)
    meshes._build_aside(tmp_path, folder, Source(""))
    assert (folder / "part.obj").read_text() == "the other's"
    assert list(tmp_path.iterdir()) == [folder]


def test_cache_folder_comes_from_the_environment(
    assets: RobotAssets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(assets.urdf.parents[2], tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path))
    assert build_robot().urdf.is_relative_to(tmp_path)


def test_unknown_robot_is_refused_with_the_closest_name() -> None:
    with pytest.raises(EnvError, match=r"unknown robot 'pandas'.*did you mean 'panda'"):
        build_robot("pandas")


def test_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvError, match="set ROBOSSL_CACHE"):
        build_robot(cache_dir=tmp_path / "file")
