"""MiniStack, an emulator of AWS, for tests of a deployment. It runs in `.venv-ministack`, on loopback alone."""
