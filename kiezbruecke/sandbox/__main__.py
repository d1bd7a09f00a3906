"""python -m kiezbruecke.sandbox"""

from kiezbruecke.sandbox.server import main

if __name__ == "__main__":
    main()
