"""``python -m entrada``: run a program that imports azure.identity with entrada in its place."""

from entrada._run import main

if __name__ == "__main__":
    main()
