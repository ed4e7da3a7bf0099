#include "entrain/data/glyphs.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

constexpr int side = 28;
constexpr int glyph_classes = 10;
constexpr std::uint64_t glyphs_seed = 1998;

struct Point {
  double x = 0, y = 0;
};
using Line = std::vector<Point>;  // joined points
using Shape = std::vector<Line>;  // coordinates about -1..1, y down, centre of the ink at 0
using Canvas = std::array<float, side * side>;  // ink, 0..1

/// Points on a turn from `from` to `to` (in turns) whose radius goes from `inner` to `outer`.
Line spiral(double from, double to, double inner, double outer, int pieces) {
  Line line;
  for (int i = 0; i <= pieces; ++i) {
    const double part = static_cast<double>(i) / pieces;
    const double angle = 2 * std::numbers::pi * (from + (to - from) * part);
    const double radius = inner + (outer - inner) * part;
    line.push_back({radius * std::cos(angle), radius * std::sin(angle)});
  }
  return line;
}

template <class F>
void each_segment(const Shape& shape, F visit) {
  for (const Line& line : shape)
    for (std::size_t i = 1; i < line.size(); ++i) visit(line[i - 1], line[i]);
}

/// Moves the centre of the ink to 0, so that where the ink is says nothing about the class.
Shape centred(Shape shape) {
  double length = 0, x = 0, y = 0;
  each_segment(shape, [&](Point a, Point b) {
    const double piece = std::hypot(b.x - a.x, b.y - a.y);
    length += piece;
    x += piece * (a.x + b.x) / 2;
    y += piece * (a.y + b.y) / 2;
  });
  for (Line& line : shape)
    for (Point& point : line) point = {point.x - x / length, point.y - y / length};
  return shape;
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> list{
      centred({spiral(0, 1, 0.9, 0.9, 20)}),                                          // circle
      centred({{{-0.8, -0.8}, {0.8, -0.8}, {0.8, 0.8}, {-0.8, 0.8}, {-0.8, -0.8}}}),  // square
      centred({{{0, -0.9}, {0.95, 0.75}, {-0.95, 0.75}, {0, -0.9}}}),                 // triangle
      centred({{{-0.8, -0.8}, {0.8, 0.8}}, {{-0.8, 0.8}, {0.8, -0.8}}}),              // cross
      centred({{{-1, 0}, {1, 0}}, {{0, -1}, {0, 1}}}),                                // plus
      centred({{{0, 1}, {0, -1}}, {{-0.75, -0.2}, {0, -1}, {0.75, -0.2}}}),           // arrow
      centred({{{-0.8, -0.9}, {0.8, -0.5}, {-0.8, 0}, {0.8, 0.5}, {-0.8, 0.9}}}),     // zigzag
      centred({spiral(0, 2, 0.1, 1, 28)}),                                            // spiral
      centred({{{-0.6, -1}, {-0.6, 0.9}, {0.7, 0.9}}}),                               // L
      centred({{{-0.9, -0.9}, {0.9, -0.9}}, {{0, -0.9}, {0, 1}}}),                    // T
  };
  return list;
}

double between(Stream& stream, double low, double high) {
  return low + (high - low) * stream.uniform();
}

/// A random affine map from the plane of a shape to pixels.
struct Placing {
  double xx, xy, yx, yy;
  Point centre;

  explicit Placing(Stream& stream) {
    const double angle = between(stream, -0.35, 0.35);
    const double width = between(stream, 6, 9.5);
    const double height = width * between(stream, 0.8, 1.25);
    const double shear = between(stream, -0.25, 0.25);
    const double c = std::cos(angle), s = std::sin(angle);
    xx = c * width, xy = (c * shear - s) * height;
    yx = s * width, yy = (s * shear + c) * height;
    centre = {between(stream, 10, 17), between(stream, 10, 17)};
  }
  Point operator()(Point p) const {
    return {centre.x + xx * p.x + xy * p.y, centre.y + yx * p.x + yy * p.y};
  }
};

/// The pixels whose centre is at most `reach` from [low, high]: first and one past the last.
std::pair<int, int> pixels_near(double low, double high, double reach) {
  if (low > high) std::swap(low, high);
  return {std::max(0, static_cast<int>(std::ceil(low - reach))),
          std::min(side, static_cast<int>(std::floor(high + reach)) + 1)};
}

/// Draws the segment from `a` to `b`, `width` pixels thick, its edge softened over one pixel.
void draw(Canvas& canvas, Point a, Point b, double width, float ink) {
  const double dx = b.x - a.x, dy = b.y - a.y, reach = width / 2 + 0.5;
  const double scale = 1 / std::max(dx * dx + dy * dy, 1e-12);
  const auto [left, right] = pixels_near(a.x, b.x, reach);
  const auto [top, bottom] = pixels_near(a.y, b.y, reach);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      const double px = x - a.x, py = y - a.y;
      const double along = std::clamp((px * dx + py * dy) * scale, 0.0, 1.0);
      const double ex = px - along * dx, ey = py - along * dy;
      const double away = ex * ex + ey * ey;
      if (away >= reach * reach) continue;
      const auto cover = static_cast<float>(std::min(1.0, reach - std::sqrt(away)));
      float& pixel = canvas[y * side + x];
      pixel = std::max(pixel, cover * ink);
    }
  }
}

/// Two to four short strokes that belong to no shape.
void draw_distractors(Canvas& canvas, Stream& stream) {
  const std::uint64_t count = 2 + stream.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Point from{between(stream, 0, side), between(stream, 0, side)};
    const double angle = between(stream, 0, 2 * std::numbers::pi);
    const double length = between(stream, 3, 8);
    const Point to{from.x + length * std::cos(angle), from.y + length * std::sin(angle)};
    draw(canvas, from, to, between(stream, 1, 2.2), static_cast<float>(between(stream, 0.3, 1)));
  }
}

/// Turns ink into pixels [28, 28]: a contrast and a grey ground of its own for the image, and
/// noise (the sum of two bytes, so of triangular density) for every pixel.
void expose(const Canvas& canvas, Stream& stream, std::uint8_t* pixels) {
  const double ground = between(stream, 15, 60), contrast = between(stream, 90, 190);
  const double noise = between(stream, 0.1, 0.3);
  std::uint32_t bits = 0;
  for (int i = 0; i < side * side; ++i, bits >>= 16) {
    if (i % 2 == 0) bits = stream.next();
    const int sum = static_cast<int>(bits & 255) + static_cast<int>(bits >> 8 & 255) - 255;
    const double value = ground + contrast * canvas[i] + noise * sum;
    pixels[i] = static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
  }
}

void draw_glyph(std::int64_t index, std::uint64_t part, std::uint8_t* pixels) {
  Stream stream(glyphs_seed, Purpose::glyphs, static_cast<std::uint64_t>(index), part);
  Canvas canvas{};
  const Placing placing(stream);
  const double width = between(stream, 1.2, 2.8);
  each_segment(shapes()[index % glyph_classes],
               [&](Point a, Point b) { draw(canvas, placing(a), placing(b), width, 1); });
  draw_distractors(canvas, stream);
  expose(canvas, stream, pixels);
}

Samples draw_part(std::int64_t count, std::uint64_t part) {
  Samples samples{at::empty({count, 1, side, side}, at::kByte),
                  at::arange(count, at::kLong).remainder(glyph_classes)};
  std::uint8_t* pixels = samples.inputs.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i) draw_glyph(i, part, pixels + i * side * side);
  return samples;
}

}  // namespace

Dataset glyphs(std::int64_t train, std::int64_t test) {
  if (train < 1 || test < 1)
    throw UsageError(
        fmt::format("glyphs: train = {} and test = {} must both be at least 1", train, test));
  Dataset dataset;
  dataset.name = "glyphs";
  dataset.train = draw_part(train, 0);
  dataset.test = draw_part(test, 1);
  dataset.classes = glyph_classes;
  dataset.mean = {0.2176};
  dataset.deviation = {0.1862};
  return dataset;
}

}  // namespace entrain
