# SPDX-License-Identifier: MIT
"""The machine's shape: board, processors, memory, NUMA nodes, the device's place."""

import argparse
import re
from dataclasses import dataclass

BOARDS = ("q35", "pc")
WITH_IOMMU = ("q35",)
IOMMU = "intel-iommu,intremap=off"
LOCAL, HOP = 10, 10
NEAREST = 11        # and HOP more for each hop: 21, 31, ...
DEVICE_NODE = 1
NODES_MAX = 8
CPUS_MAX = 8
SMALLEST_MIB = 128
SIZE = re.compile(r"([0-9]+)([MG])")
MIB = {"M": 1, "G": 1024}


@dataclass(frozen=True)
class Shape:
    """What QEMU is told of the machine; the nodes form a ring."""

    board: str = "q35"
    nodes: int = 4              # with memory; 1: no NUMA at all
    cpus: int = 4
    memory: int = 6144          # MiB, shared out evenly
    empty_node: bool = False    # one node more: a processor and no memory
    iommu: bool = False         # an intel-iommu, which the guest must program

    def __str__(self):
        nodes = f"{self.nodes} node{'s' * (self.nodes > 1)}"
        return (f"{self.board}, {nodes}{' and an empty one' * self.empty_node}, "
                f"{self.cpus} processor{'s' * (self.cpus > 1)}, {self.memory} MiB"
                f"{', IOMMU' * self.iommu}")

    @property
    def count(self):
        """The nodes, with and without memory."""
        return self.nodes + self.empty_node

    def distance(self, source, target):
        """How far apart two nodes are, as the guest's firmware tables say."""
        hops = min(abs(target - source), self.count - abs(target - source))
        return NEAREST + HOP * hops if hops else LOCAL

    def words(self):
        """QEMU's options for board, memory, processors and nodes."""
        words = ["-M", self.board, "-m", f"{self.memory}M",
                 "-smp", f"{self.cpus},sockets={self.cpus}"]      # nodes share none
        if self.count > 1:
            words += self._nodes()
        if self.iommu:          # QEMU wants it before the devices behind it
            words += ["-device", IOMMU]
        return words

    def _nodes(self):
        """The nodes and their distances."""
        words = []
        for node in range(self.count):
            cpus = "".join(f",cpus={cpu}" for cpu in range(self.cpus)
                           if self.node_of(cpu) == node)
            memory = ""
            if node < self.nodes:
                words += ["-object", f"memory-backend-ram,id=m{node},"
                          f"size={self.size_of(node)}M"]
                memory = f",memdev=m{node}"
            words += ["-numa", f"node,nodeid={node}{cpus}{memory}"]
        for source in range(self.count):
            for target in range(source + 1, self.count):
                words += ["-numa", f"dist,src={source},dst={target},"
                          f"val={self.distance(source, target)}"]
        return words

    def node_of(self, cpu):
        """The node of a processor; the last one is the empty node's."""
        if self.empty_node and cpu == self.cpus - 1:
            return self.nodes
        return cpu * self.nodes // max(self.cpus, self.nodes)

    def size_of(self, node):
        """A node's memory in MiB; the last one has what does not divide."""
        share = self.memory // self.nodes
        return share if node < self.nodes - 1 else self.memory - node * share

    @property
    def root_bus(self):
        """The name of the first root bus."""
        return {"q35": "pcie.0", "pc": "pci.0"}[self.board]

    def device_bus(self):
        """QEMU's options for the bus of the device, and its name: near
        DEVICE_NODE, or on the first root bus where there are no nodes."""
        bridge = {"q35": "pxb-pcie", "pc": "pxb"}[self.board]
        bus = self.root_bus
        words = []
        if self.nodes > 1:
            words = ["-device", f"{bridge},id=pxb1,bus={bus},bus_nr=0x40,"
                     f"numa_node={DEVICE_NODE}"]
            bus = "pxb1"
        if self.board == "q35":
            words += ["-device", f"pcie-root-port,id=rp1,bus={bus},chassis=1,slot=1"]
            bus = "rp1"
        return words, bus


def add_options(parser):
    """The options of a command line that make a shape."""
    usual = Shape()
    group = parser.add_argument_group("the machine")
    add = group.add_argument
    add("--machine", choices=BOARDS, default=usual.board,
        help="PCI Express, or conventional PCI (default: q35)")
    add("--nodes", type=_number(NODES_MAX), default=usual.nodes, metavar="N",
        help=f"NUMA nodes, 1 to {NODES_MAX} (default: {usual.nodes}); 1 is a machine "
        "without NUMA")
    add("--empty-node", action="store_true",
        help="one node more, which has a processor and no memory")
    add("--cpus", type=_number(CPUS_MAX), default=usual.cpus, metavar="N",
        help=f"processors, 1 to {CPUS_MAX} (default: {usual.cpus})")
    add("--memory", type=_memory, default=usual.memory, metavar="SIZE",
        help="all nodes' memory together, such as 256M or 12G (default: 6G)")
    add("--iommu", action="store_true",
        help="an intel-iommu: the device's addresses are translated, and what "
        "it was not given is denied")


def from_options(parser, options):
    """The shape that a command line asks for; ends with a message if it cannot be."""
    if options.empty_node and options.cpus < 2:
        parser.error("--empty-node has a processor of its own: it needs --cpus 2 or more")
    if options.iommu and options.machine not in WITH_IOMMU:
        parser.error("--iommu needs --machine q35: the other has no IOMMU")
    return Shape(options.machine, options.nodes, options.cpus, options.memory,
                 options.empty_node, options.iommu)


def _number(most):
    """A whole number from 1 to most, as argparse wants it."""
    def number(text):
        if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"not a number from 1 to {most}: '{text}'")
        return int(text)
    return number


def _memory(text):
    """A size in MiB."""
    match = SIZE.fullmatch(text)
    size = int(match[1]) * MIB[match[2]] if match else 0
    if size < SMALLEST_MIB:
        raise argparse.ArgumentTypeError(
            f"not a size of {SMALLEST_MIB}M or more, such as 256M or 12G: '{text}'")
    return size
