# SPDX-License-Identifier: MIT
"""A QEMU's monitor, for what happens to a machine from outside."""

import json
import socket
import time

from pcmaster.ui import Problem

TRIES, PAUSE = 200, 0.05


class Qmp:
    """A connection to a QMP socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for left in reversed(range(TRIES)):
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if not left:
                    raise
                time.sleep(PAUSE)
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.file.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        """What a command returns; Problem if it is refused."""
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            reply = json.loads(self.file.readline() or '{"error": "QEMU ended"}')
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise Problem(f"{command}: {reply['error']}")

    def insist(self, command, **arguments):
        """Executes a command that is refused until something else has ended."""
        for left in reversed(range(TRIES)):
            try:
                return self.execute(command, **arguments)
            except Problem:
                if not left:
                    raise
                time.sleep(PAUSE)

    def wait_for(self, query, status):
        """Asks until the status is that."""
        for _ in range(TRIES * 10):
            said = self.execute(query).get("status")
            if said == status:
                return
            if said == "failed":
                break
            time.sleep(PAUSE)
        raise Problem(f"{query}: {said}, not {status}")

    def close(self):
        """Ends the connection."""
        self.file.close()
        self.socket.close()
