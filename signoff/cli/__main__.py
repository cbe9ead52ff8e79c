"""`python -m signoff.cli` is `signoff`."""

from signoff.cli import main

if __name__ == "__main__":
    main()
