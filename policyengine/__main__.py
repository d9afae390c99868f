"""``python -m policyengine`` is the command ``policyengine``."""

import sys

from policyengine.cli.main import main

sys.exit(main())
