"""`python -m robossl`, and so `torchrun --nproc-per-node 2 -m robossl pretrain CONFIG.yaml`."""

import sys

from robossl.cli import main

sys.exit(main())
