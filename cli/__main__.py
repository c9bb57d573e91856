"""Where `python -m cli` starts; the file `sipgw` beside this folder calls it."""

from cli.application import app

if __name__ == "__main__":
    app(prog_name="sipgw")
