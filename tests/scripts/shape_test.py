# SPDX-License-Identifier: MIT
"""The machine's shape: what QEMU is told, and what a person may ask for."""

import argparse
import contextlib
import io
import itertools
import unittest

from pcmaster import shape
from pcmaster.shape import Shape


def parsed(*words):
    """The shape of a command line."""
    parser = argparse.ArgumentParser()
    shape.add_options(parser)
    return shape.from_options(parser, parser.parse_args(words))


class ShapeTest(unittest.TestCase):
    """Words for QEMU."""

    def values(self, made, option, part):
        """The values of a part of QEMU's option, over all its uses."""
        words = [str(word) for word in made.words()]
        options = [after for word, after in itertools.pairwise(words) if word == option]
        return [piece.partition("=")[2] for text in options for piece in text.split(",")
                if piece.startswith(f"{part}=")]

    def test_shares_add_up_to_the_memory(self):
        for nodes in (2, 3, 4, 8):
            made = Shape(nodes=nodes, memory=1000)
            sizes = [int(size[:-1]) for size in self.values(made, "-object", "size")]
            self.assertEqual((len(sizes), sum(sizes)), (nodes, 1000))

    def test_every_processor_has_one_node(self):
        for nodes, cpus, empty in itertools.product((2, 3, 4), (1, 2, 4, 8), (False, True)):
            if empty and cpus < 2:
                continue
            made = Shape(nodes=nodes, cpus=cpus, empty_node=empty)
            self.assertEqual(sorted(map(int, self.values(made, "-numa", "cpus"))),
                             list(range(cpus)))

    def test_an_empty_node_has_a_processor_and_no_memory(self):
        made = Shape(nodes=2, empty_node=True)
        self.assertEqual(len(self.values(made, "-object", "id")), 2)
        self.assertIn("node,nodeid=2,cpus=3", made.words())

    def test_one_node_is_a_machine_without_numa(self):
        self.assertNotIn("-numa", Shape(nodes=1).words())
        self.assertNotIn("pxb", str(Shape(nodes=1).device_bus()))

    def test_distances_are_a_rings(self):
        made = Shape(nodes=4)
        self.assertEqual([made.distance(0, node) for node in range(4)], [10, 21, 31, 21])
        self.assertEqual(Shape(nodes=2).distance(1, 0), 21)
        self.assertEqual(len(self.values(made, "-numa", "val")), 6)

    def test_the_device_is_on_a_bus_of_the_board(self):
        self.assertEqual(Shape().device_bus()[1], "rp1")
        self.assertEqual(Shape(board="pc").device_bus()[1], "pxb1")
        self.assertEqual(Shape(board="pc", nodes=1).device_bus(), ([], "pci.0"))

    def test_an_iommu_stands_before_the_devices_behind_it(self):
        self.assertNotIn("intel-iommu", str(Shape().words()))
        self.assertEqual(self.values(Shape(iommu=True), "-device", "intremap"), ["off"])

    def test_it_can_be_said_in_words(self):
        self.assertEqual(str(Shape()), "q35, 4 nodes, 4 processors, 6144 MiB")
        self.assertEqual(str(Shape("pc", 1, 2, 256, True)),
                         "pc, 1 node and an empty one, 2 processors, 256 MiB")
        self.assertEqual(str(Shape(iommu=True)), f"{Shape()}, IOMMU")


class OptionsTest(unittest.TestCase):
    """What a person may ask for."""

    def test_the_usual_machine(self):
        self.assertEqual(parsed(), Shape())

    def test_another(self):
        self.assertEqual(parsed("--machine", "pc", "--nodes", "2", "--cpus", "1",
                                "--memory", "12G"), Shape("pc", 2, 1, 12288))

    def test_an_iommu(self):
        self.assertEqual(parsed("--iommu"), Shape(iommu=True))

    def test_what_cannot_be(self):
        for words in (["--nodes", "0"], ["--nodes", "9"], ["--cpus", "x"],
                      ["--memory", "64M"], ["--memory", "12"], ["--memory", "G"],
                      ["--memory", "6G\n"], ["--memory", "\u0663G"], ["--cpus", "\u0663"],
                      ["--machine", "microvm"], ["--empty-node", "--cpus", "1"],
                      ["--iommu", "--machine", "pc"]):
            with self.subTest(words), self.assertRaises(SystemExit), \
                    contextlib.redirect_stderr(io.StringIO()):
                parsed(*words)
