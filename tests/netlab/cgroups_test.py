"""What is written where, in a folder that stands for the kernel's; labs_test.py has the kernel."""
import os
import tempfile
import unittest
from unittest import mock

import cgroups


class CgroupsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        patch = mock.patch.object(cgroups, "ROOT", self.root)
        patch.start()
        self.addCleanup(patch.stop)

    def group(self, version):
        if version == 2:
            open(f"{self.root}/cgroup.controllers", "w").close()
        else:
            os.mkdir(f"{self.root}/cpu")
            os.mkdir(f"{self.root}/freezer")
        group = cgroups.group_of_host("lab", 2)
        group.make()
        return group

    def read(self, path):
        with open(f"{self.root}/{path}") as file:
            return file.read()

    def test_version_2_has_one_folder(self):
        group = self.group(2)
        group.limit_cpu(0.25)
        self.assertEqual(self.read("netlab-lab-h2/cpu.max"), "5000 20000")
        group.limit_cpu(None)
        self.assertEqual(self.read("netlab-lab-h2/cpu.max"), "max 20000")
        group.freeze(True)
        self.assertTrue(group.frozen())
        self.assertEqual(self.read("cgroup.subtree_control"), "+cpu")

    def test_version_1_has_a_folder_in_each_tree(self):
        group = self.group(1)
        group.limit_cpu(0.01)  # longer periods, as a quota is never below a millisecond
        self.assertEqual(self.read("cpu/netlab-lab-h2/cpu.cfs_quota_us"), "1000")
        self.assertEqual(self.read("cpu/netlab-lab-h2/cpu.cfs_period_us"), "100000")
        group.freeze(True)
        self.assertTrue(group.frozen())
        group.thaw()
        self.assertEqual(self.read("freezer/netlab-lab-h2/freezer.state"), "THAWED")

    def test_the_groups_of_a_lab_are_found_by_its_name(self):
        self.group(2)
        cgroups.group_of_switch("lab").make()
        cgroups.group_of_host("lab2", 0).make()
        names = [group.name for group in cgroups.groups_of_lab("lab")]
        self.assertEqual(names, ["netlab-lab-h2", "netlab-lab-switch"])
