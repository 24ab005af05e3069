"""The SBOM against CycloneDX's schema: src/deploy/dist/check_sbom.py FILE"""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

if error := JsonStrictValidator(SchemaVersion.V1_5).validate_str(Path(sys.argv[1]).read_text()):
    sys.exit(f"{sys.argv[1]}: {str(error).splitlines()[0]}")
