# SPDX-License-Identifier: MIT
"""Initial RAM file systems: cpio archives, as the kernel reads them, uncompressed."""

import stat

MAGIC = b"070701"
END = "TRAILER!!!"
DEVICE = stat.S_IFCHR | 0o600


class Archive:
    """An archive in the making; folders come into being as files need them."""

    def __init__(self):
        self.parts = []
        self.count = 0
        self.folders = set()

    def file(self, name, data, mode=0o644):
        """Adds a file with these contents."""
        self._folders_of(name)
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        """Adds a symbolic link."""
        self._folders_of(name)
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name, major, minor):
        """Adds a character device."""
        self._folders_of(name)
        self._entry(name, DEVICE, b"", (major, minor))

    def folder(self, name):
        """Adds a folder and those above it, unless they are there."""
        self._folders_of(f"{name}/.")

    def whole(self):
        """The archive; another one may follow it in the same file."""
        end = Archive()
        end.count = self.count
        end._entry(END, 0, b"")
        return b"".join(self.parts + end.parts)

    def _folders_of(self, name):
        parents = name.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            folder = "/".join(parents[:depth])
            if folder not in self.folders:
                self.folders.add(folder)
                self._entry(folder, stat.S_IFDIR | 0o755, b"")

    def _entry(self, name, mode, data, device=(0, 0)):
        self.count += 1
        path = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        head = MAGIC + b"".join(b"%08x" % field for field in fields) + path
        for part in (head, data):
            self.parts += [part, bytes(-len(part) % 4)]
