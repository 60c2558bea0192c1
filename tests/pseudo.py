"""Runs the command on a real pseudo-terminal of a given size."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

STYLES = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(*arguments, columns=80, cwd=None, term="xterm-256color", **environment) -> tuple[int, str]:
    """Run moviehouse with a terminal as its input, output and error; gives its status and what the terminal got."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "COLORTERM")}
    process = subprocess.Popen(
        [sys.executable, "-m", "moviehouse", *map(str, arguments)],
        stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env | {"TERM": term} | environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # all of the terminal's other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(master)
    return process.wait(), b"".join(chunks).decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return STYLES.sub("", text)
