"""Ask whether pinned packages have known vulnerabilities: `make audit-packages`.

pip-audit asks PyPI about each package. It passes over packages that it could not ask about, and
still ends well; here that counts as not asked, because silence is no all-clear.

Exit status: 0 nothing is known, 1 a package is vulnerable, 2 not everything could be asked.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Audit every file of constraints; return the worst exit status."""
    return max(audit(path) for path in sorted(HERE.glob("constraints*.txt")))


def audit(path: Path) -> int:
    """Print what is known about the packages of one file; return the exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--requirement", path, "--no-deps", "--disable-pip",
         "--format", "json", "--progress-spinner", "off"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"{path.name}: NOT AUDITED. pip-audit could not ask: {last}")
        return 2
    unasked = [package for package in packages if "skip_reason" in package]
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        for fault in package["vulns"]:
            fixed = ", ".join(fault["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {fault['id']}, mended in {fixed}")
    asked = len(packages) - len(unasked)
    print(f"{path.name}: {asked} of {len(packages)} packages asked about, "
          f"{len(vulnerable)} vulnerable")  # fmt: skip
    if unasked:
        print(f"{path.name}: NOT AUDITED in full. First: {unasked[0]['skip_reason']}. "
              "Run it where PyPI's vulnerability service can be reached.")  # fmt: skip
    return 1 if vulnerable else 2 if unasked else 0


if __name__ == "__main__":
    sys.exit(main())
