//===- Window.cpp - sums and maxima over windows: pooling, depthwise convolution ----------------------------------===//
//
// The loop nest of an aot.kernel that shares nothing between its results' channels. A tile of results lies in
// registers: some vectors along the tile's vector dim, some rows of its row dim, between which the window slides, so
// that neighbouring rows share what they load. The whole window stands in the code where it is small.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/Families.h"
#include <algorithm>

using namespace Halide;
using namespace onnx_aot::halide;

namespace {
class WindowBuilder {
public:
  explicit WindowBuilder(const Specification &spec) : spec(spec), out("out"), sum("sum") {}

  Kernel build() {
    for (size_t dim = 0; dim < spec.dims.size(); ++dim)
      (spec.dims[dim].isReduction ? taps : results).push_back(int(dim));
    if (results.empty() || taps.empty())
      throw Refusal("has no window or no result");
    if (std::find(results.begin(), results.end(), spec.tile.vector) == results.end())
      throw Refusal("has no parallel dim for vectors");
    for (size_t input = 0; input < spec.inputs.size(); ++input) {
      const Address &address = spec.inputs[input];
      parameters.push_back(flatParameter(elementType(address.isBytes), extentOf(address), "x" + std::to_string(input)));
      kernel.arguments.push_back(parameters.back());
    }

    Region bounds;
    for (int dim : taps)
      bounds.emplace_back(0, spec.dims[dim].extent);
    window = RDom(bounds, "window");
    places.resize(spec.dims.size());
    for (size_t index = 0; index < taps.size(); ++index)
      places[taps[index]] = window[int(index)];
    std::vector<Var> arguments; // innermost first
    vars.resize(spec.dims.size());
    for (int dim : results) {
      vars[dim] = Var("dim" + std::to_string(dim));
      places[dim] = vars[dim];
      arguments.insert(arguments.begin(), vars[dim]);
    }
    // Accumulators of one vector lie one by one, whatever lies so in the result.
    std::vector<Var> inTile(arguments);
    auto first =
        std::find_if(inTile.begin(), inTile.end(), [&](const Var &var) { return var.same_as(vars[spec.tile.vector]); });
    std::rotate(inTile.begin(), first, first + 1);
    sum(inTile) = spec.identity;
    Expr accumulator = sum(inTile);
    sum(inTile) = evaluate(spec.compute, elements(), accumulator);
    // What the epilogue reads does not depend on the window.
    for (int dim : taps)
      places[dim] = 0;
    Expr stored = evaluate(spec.epilogue, elements(), sum(inTile));
    if (stored.type() != elementType(spec.output.isBytes))
      throw Refusal("a body makes elements of another type than the result's");
    out(arguments) = stored;
    describeOutput();
    schedule();
    kernel.output = out;
    return kernel;
  }

private:
  int extentOf(const Address &address) const {
    int64_t last = address.offset;
    for (size_t dim = 0; dim < spec.dims.size(); ++dim) {
      if (address.strides[dim] < 0)
        throw Refusal("an operand is read backwards");
      int64_t points = spec.dims[dim].extent - 1;
      if (int(dim) == address.panelDim) {
        last += points / address.panel * address.panelStride;
        points = address.panel - 1;
      }
      last += address.strides[dim] * points;
    }
    if (last >= INT32_MAX)
      throw Refusal("an operand is larger than 2^31 elements");
    return int(last + 1);
  }

  std::vector<Expr> elements() const {
    std::vector<Expr> values;
    for (size_t input = 0; input < spec.inputs.size(); ++input) {
      const Address &address = spec.inputs[input];
      Expr place = address.offset;
      for (size_t dim = 0; dim < spec.dims.size(); ++dim)
        if (int(dim) == address.panelDim)
          place = place + places[dim] / address.panel * address.panelStride +
                  places[dim] % address.panel * address.strides[dim];
        else if (address.strides[dim] != 0)
          place = place + places[dim] * address.strides[dim];
      values.push_back(parameters[input](place));
    }
    return values;
  }

  void describeOutput() {
    if (spec.output.offset != 0)
      throw Refusal("the result does not begin where its pointer points");
    for (size_t index = 0; index < results.size(); ++index) {
      int dim = results[results.size() - 1 - index];
      if (spec.output.strides[dim] < 1)
        throw Refusal("a result is stored more than once");
      out.output_buffer().dim(int(index)).set_bounds(0, spec.dims[dim].extent).set_stride(spec.output.strides[dim]);
    }
  }

  void schedule() {
    int vector = spec.tile.vector, row = spec.tile.row, extent = spec.dims[vector].extent;
    int lanes = lanesFor(spec.lanes, extent), vectors = std::min(spec.tile.vectors, extent / lanes);
    for (const Address &address : spec.inputs)
      if (address.panelDim >= 0 &&
          (address.panelDim != vector || address.panel % (lanes * vectors) != 0 || extent % (lanes * vectors) != 0))
        throw Refusal("its panels are not those of its tiles");
    bool hasRows = row >= 0 && row != vector && !spec.dims[row].isReduction && spec.tile.rows > 1;
    int rows = hasRows ? std::min(spec.tile.rows, spec.dims[row].extent) : 1;
    // Loops over tiles, by the dims that they go along.
    std::vector<Var> loops(vars);
    Var lane("lane"), tileRow("row");
    loops[vector] = Var("tiles");
    out.split(vars[vector], loops[vector], lane, lanes * vectors, TailStrategy::ShiftInwards);
    std::vector<VarOrRVar> order = {lane};
    if (hasRows) {
      loops[row] = Var("rows");
      out.split(vars[row], loops[row], tileRow, rows, TailStrategy::ShiftInwards);
      order.push_back(tileRow);
    }
    for (auto dim = results.rbegin(); dim != results.rend(); ++dim)
      order.push_back(loops[*dim]);
    out.reorder(order);
    sum.compute_at(out, loops[results.back()]).store_in(MemoryType::Stack);
    if (lanes > 1)
      out.vectorize(lane, lanes);
    out.unroll(lane);
    if (hasRows)
      out.unroll(tileRow);

    std::vector<VarOrRVar> inside = {vars[vector]};
    if (hasRows)
      inside.push_back(vars[row]);
    int64_t volume = 1;
    for (size_t index = 0; index < taps.size(); ++index) {
      inside.push_back(window[int(index)]);
      volume *= spec.dims[taps[index]].extent;
    }
    std::reverse(inside.begin() + 1 + hasRows, inside.end());
    sum.update().reorder(inside);
    for (int step = 0; step < 2; ++step) {
      Stage stage = step == 0 ? Stage(sum) : Stage(sum.update());
      if (lanes > 1)
        stage.vectorize(vars[vector], lanes);
      stage.unroll(vars[vector]);
      if (hasRows)
        stage.unroll(vars[row]);
    }
    constexpr int64_t kMostTaps = 32; // for which code is repeated
    if (volume * rows * vectors <= kMostTaps * 8 && volume <= kMostTaps)
      for (size_t index = 0; index < taps.size(); ++index)
        sum.update().unroll(window[int(index)]);
  }

  const Specification &spec;
  Func out, sum;
  RDom window;
  std::vector<int> results, taps; // dims
  std::vector<ImageParam> parameters;
  std::vector<Var> vars;
  std::vector<Expr> places; // per dim
  Kernel kernel;
};
} // namespace

Kernel onnx_aot::halide::buildWindow(const Specification &spec) { return WindowBuilder(spec).build(); }
