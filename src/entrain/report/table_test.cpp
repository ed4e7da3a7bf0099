#include "entrain/report/table.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace entrain {
namespace {

TEST(Table, FirstColumnToTheLeftTheOthersToTheRight) {
  EXPECT_EQ(print_table({"strategy", "loss", "bytes"},
                        {{"local_sgd(8)", "0.5", "1.2 MB"}, {"sync", "12.25", "9 B"}}),
            "strategy       loss   bytes\n"
            "---------------------------\n"
            "local_sgd(8)    0.5  1.2 MB\n"
            "sync          12.25     9 B\n");
}

TEST(Table, WithoutRowsOrWithOneColumn) {
  EXPECT_EQ(print_table({"name", "loss"}, {}), "name  loss\n----------\n");
  EXPECT_EQ(print_table({"name"}, {{"a"}, {"longer"}}), "name  \n------\na     \nlonger\n");
  EXPECT_EQ(print_table({"a", "b"}, {{"", ""}}), "a  b\n----\n    \n");
}

TEST(Table, RowsOfAnotherLengthAreDefects) {
  EXPECT_THROW(print_table({"a", "b"}, {{"1"}}), std::logic_error);
  EXPECT_THROW(print_table({"a", "b"}, {{"1", "2"}, {"1", "2", "3"}}), std::logic_error);
}

TEST(Table, Bytes) {
  EXPECT_EQ(print_bytes(0), "0 B");
  EXPECT_EQ(print_bytes(1), "1 B");
  EXPECT_EQ(print_bytes(999), "999 B");
  EXPECT_EQ(print_bytes(1000), "1 kB");
  EXPECT_EQ(print_bytes(1234), "1.23 kB");
  EXPECT_EQ(print_bytes(12'345), "12.3 kB");
  EXPECT_EQ(print_bytes(123'456), "123 kB");
  EXPECT_EQ(print_bytes(999'000), "999 kB");
  EXPECT_EQ(print_bytes(1e6), "1 MB");
  EXPECT_EQ(print_bytes(25e6), "25 MB");
  EXPECT_EQ(print_bytes(1.5e9), "1.5 GB");
  EXPECT_EQ(print_bytes(2e12), "2 TB");
  EXPECT_EQ(print_bytes(999e12), "999 TB");
}

// What rounds to 1000 of a unit is 1 of the next.
TEST(Table, BytesJustBelowAUnit) {
  EXPECT_EQ(print_bytes(999.4), "999 B");
  EXPECT_EQ(print_bytes(999.6), "1 kB");
  EXPECT_EQ(print_bytes(999'499), "999 kB");
  EXPECT_EQ(print_bytes(999'999), "1 MB");
  EXPECT_EQ(print_bytes(999'600'000), "1 GB");
  EXPECT_EQ(print_bytes(999.9e9), "1 TB");
}

TEST(Table, BytesBeyondTheLastUnit) {
  EXPECT_EQ(print_bytes(1e15), "1000 TB");
  EXPECT_EQ(print_bytes(1.2345e16), "12345 TB");
}

TEST(Table, Seconds) {
  EXPECT_EQ(print_seconds(0), "0 ms");
  EXPECT_EQ(print_seconds(0.0124), "12 ms");
  EXPECT_EQ(print_seconds(0.999), "999 ms");
  EXPECT_EQ(print_seconds(1), "1.0 s");
  EXPECT_EQ(print_seconds(3.44), "3.4 s");
  EXPECT_EQ(print_seconds(59.9), "59.9 s");
  EXPECT_EQ(print_seconds(60), "1 min 00 s");
  EXPECT_EQ(print_seconds(72), "1 min 12 s");
  EXPECT_EQ(print_seconds(119.6), "2 min 00 s");
  EXPECT_EQ(print_seconds(3599.4), "59 min 59 s");
  EXPECT_EQ(print_seconds(3600), "1 h 00 min");
  EXPECT_EQ(print_seconds(5400), "1 h 30 min");
  EXPECT_EQ(print_seconds(360'000), "100 h 00 min");
}

// What rounds to a whole of the next unit is printed as that.
TEST(Table, SecondsJustBelowAUnit) {
  EXPECT_EQ(print_seconds(0.9994), "999 ms");
  EXPECT_EQ(print_seconds(0.9996), "1.0 s");
  EXPECT_EQ(print_seconds(59.94), "59.9 s");
  EXPECT_EQ(print_seconds(59.99), "1 min 00 s");
  EXPECT_EQ(print_seconds(3599.6), "1 h 00 min");
  EXPECT_EQ(print_seconds(3600 + 29.4), "1 h 00 min");
  EXPECT_EQ(print_seconds(3600 + 59), "1 h 01 min");
  EXPECT_EQ(print_seconds(7200 - 20), "2 h 00 min");
}

TEST(PrintCount, OneAndSeveral) {
  EXPECT_EQ(print_count(1, "worker"), "1 worker");
  EXPECT_EQ(print_count(0, "worker"), "0 workers");
  EXPECT_EQ(print_count(2, "process", "processes"), "2 processes");
  EXPECT_EQ(print_count(1, "process", "processes"), "1 process");
}

}  // namespace
}  // namespace entrain
