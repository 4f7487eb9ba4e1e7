# SPDX-License-Identifier: MIT
"""The set-up that scripts/run and scripts/test share."""

from pcmaster import guest, packages, qemu
from pcmaster.cache import Cache


def everything(kinds=(), more=()):
    """Installs and builds what is missing: (cache, QEMU's folder, guest).

    kinds: of QEMU that will be wanted besides the plain one. more: packages that
    only a part of the tests needs.
    """
    cache = Cache()
    with cache.lock():
        packages.ensure(cache, more)
        made = cache, qemu.ensure(cache), guest.ensure(cache)
        for kind in kinds:
            qemu.ensure(cache, kind)
        return made
