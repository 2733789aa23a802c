"""``python -m vggss``."""

from vggss.cli import main

if __name__ == "__main__":
    main()
