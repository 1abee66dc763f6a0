"""The `mantel` command."""


def main() -> None:
    raise SystemExit("mantel: nothing to serve yet")


if __name__ == "__main__":
    main()
