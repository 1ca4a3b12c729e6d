"""Starts MLServer as its own command does: mlserver_start.py start FOLDER. (Its script in bin/ names the folder it was built in.)"""

from mlserver.cli import main

if __name__ == "__main__":
    main()
