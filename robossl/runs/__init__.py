"""What every stage needs: the run directory, tracking, seeding and fingerprints."""

from robossl.runs.fingerprints import digest_path, fingerprint
from robossl.runs.run import Run, open_run
from robossl.runs.seeding import seed_everything
from robossl.runs.tracker import Tracker

__all__ = ["Run", "Tracker", "digest_path", "fingerprint", "open_run", "seed_everything"]
