# SPDX-License-Identifier: MIT
"""The set-up that scripts/run and scripts/test share."""

from pcmaster import guest, packages, qemu
from pcmaster.cache import Cache


def everything():
    """Installs and builds what is missing: (cache, QEMU's folder, guest)."""
    cache = Cache()
    with cache.lock():
        packages.ensure(cache)
        return cache, qemu.ensure(cache), guest.ensure(cache)
