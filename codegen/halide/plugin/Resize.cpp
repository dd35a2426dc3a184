//===- Resize.cpp - resampling along one to three axes ------------------------------------------------------------===//
//
// An axis is resized by phases, whose weights are constants of the code, where results some period apart read alike
// (every scale that is a small fraction); else by a table. The schedules:
//
//   rows and columns by phases, rows not fewer:  every row of the data is stretched once (its phases are computed on
//                       vectors and stored interleaved); rows of the result are sums of the last few stretched rows,
//                       which are kept in a ring. The vertical phases share what they load. With three axes, rows are
//                       summed up over planes before they are stretched.
//   else:               for each row of the result the rows of the data are summed up into one, which is then resized.
//
// Rows that phases read are copied with their borders repeated, so that inner loops need not clamp. Where the last axis
// stays (channels last) vectors run along it. The prologue is applied where data are read, which for stretched rows is
// once, and the epilogue where results are stored.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/Families.h"
#include <algorithm>
#include <functional>
#include <optional>

using namespace Halide;
using namespace onnx_aot::halide;

namespace {
/// The specification with its axes in as few as possible: without those of one element, and neighbours that stay as
/// one where operands have one stride for both.
Specification mergeAxes(const Specification &spec) {
  Specification merged = spec;
  merged.axes.clear();
  for (Address &input : merged.inputs)
    input.strides.clear();
  for (size_t axis = 0; axis < spec.axes.size(); ++axis) {
    const Axis &next = spec.axes[axis];
    bool isSame = next.kind == Axis::Same;
    if (isSame && next.in == 1)
      continue;
    bool joins = isSame && !merged.axes.empty() && merged.axes.back().kind == Axis::Same;
    for (size_t input = 0; input < spec.inputs.size(); ++input)
      joins = joins && merged.inputs[input].strides.back() == int64_t(spec.inputs[input].strides[axis]) * next.in;
    if (joins)
      merged.axes.back().in = merged.axes.back().out *= next.in;
    else
      merged.axes.push_back(next);
    for (size_t input = 0; input < spec.inputs.size(); ++input) {
      std::vector<int> &strides = merged.inputs[input].strides;
      strides.resize(merged.axes.size());
      strides.back() = spec.inputs[input].strides[axis];
    }
  }
  return merged;
}

class ResizeBuilder {
public:
  explicit ResizeBuilder(const Specification &whole)
      : spec(mergeAxes(whole)), rank(int(spec.axes.size())),
        data(elementType(spec.hasBytes), std::max(rank, 1), "data"), out("out") {
    for (int axis = 0; axis < rank; ++axis) {
      vars.emplace_back("axis" + std::to_string(axis));
      if (spec.axes[axis].kind != Axis::Same)
        resized.push_back(axis);
    }
    if (resized.empty() || resized.size() > 3)
      throw Refusal("resizes " + std::to_string(resized.size()) + " axes; 1 to 3 are supported");
    for (const Axis &axis : spec.axes)
      if (axis.kind == Axis::Phases && axis.out % axis.period != 0)
        throw Refusal("an axis by phases has a part of a period");
    if (spec.hasBytes && spec.prologue.empty() && !spec.moves)
      throw Refusal("bytes are weighted without a prologue that makes floats of them");
  }

  Kernel build() {
    describe(data, [](const Axis &axis) { return axis.in; });
    kernel.arguments.push_back(data);
    for (int axis : resized)
      if (spec.axes[axis].kind == Axis::Table) {
        int extent = spec.axes[axis].taps * spec.axes[axis].out;
        addTable(axis, Int(32), extent);
        if (!spec.moves)
          addTable(axis, Float(32), extent);
      }
    for (const Address &input : spec.inputs) {
      inputs.push_back(flatParameter(elementType(input.isBytes), extentOf(input), "x" + std::to_string(inputs.size())));
      kernel.arguments.push_back(inputs.back());
    }
    source(inner(vars)) =
        spec.prologue.empty() ? data(inner(own())) : evaluate(spec.prologue, elements(), data(inner(own())));
    bool isLastResized = resized.back() == rank - 1;
    bool isByPhases = std::all_of(resized.end() - std::min<size_t>(2, resized.size()), resized.end(),
                                  [&](int axis) { return spec.axes[axis].kind == Axis::Phases; });
    if (resized.size() >= 2 && isLastResized && isByPhases && rows().out >= rows().in)
      stretchRowsFirst();
    else
      sumRowsFirst();
    describe(out.output_buffer(), [](const Axis &axis) { return axis.out; });
    kernel.output = out;
    return kernel;
  }

private:
  using Places = std::vector<Expr>; // one per axis

  /// The last two axes that are resized.
  int rowAxis() const { return resized[resized.size() - 2]; }
  const Axis &rows() const { return spec.axes[rowAxis()]; }
  const Axis &columns() const { return spec.axes[resized.back()]; }

  void addTable(int axis, Type type, int extent) {
    tables[axis].push_back(flatParameter(type, extent, "table" + std::to_string(kernel.arguments.size())));
    kernel.arguments.push_back(tables[axis].back());
  }

  /// Of an operand, as far as data and results reach.
  int extentOf(const Address &address) const {
    int64_t last = address.offset;
    for (int axis = 0; axis < rank; ++axis) {
      if (address.strides[axis] < 0)
        throw Refusal("an operand is read backwards");
      last += int64_t(address.strides[axis]) * (std::max(spec.axes[axis].in, spec.axes[axis].out) - 1);
    }
    if (last >= INT32_MAX)
      throw Refusal("an operand is larger than 2^31 elements");
    return int(last + 1);
  }

  /// Those of the operands at the place of the data or the result.
  std::vector<Expr> elements() const {
    std::vector<Expr> values;
    for (size_t input = 0; input < inputs.size(); ++input) {
      Expr place = spec.inputs[input].offset;
      for (int axis = 0; axis < rank; ++axis)
        if (int stride = spec.inputs[input].strides[axis])
          place = place + vars[axis] * stride;
      values.push_back(inputs[input](place));
    }
    return values;
  }

  /// Defines the output.
  void store(Expr result) {
    if (!spec.epilogue.empty())
      result = evaluate(spec.epilogue, elements(), result);
    if (result.type() != elementType(spec.makesBytes))
      throw Refusal("a body makes elements of another type than the result's");
    out(inner(vars)) = result;
  }

  template <typename Parameter> void describe(Parameter &&parameter, int (*extentOf)(const Axis &)) {
    int stride = 1;
    for (int axis = rank - 1; axis >= 0; --axis) {
      int extent = extentOf(spec.axes[axis]);
      parameter.dim(rank - 1 - axis).set_bounds(0, extent).set_stride(stride);
      stride *= extent;
    }
  }

  /// Halide's dims are innermost first.
  template <typename T> static std::vector<T> inner(const std::vector<T> &outer) {
    return std::vector<T>(outer.rbegin(), outer.rend());
  }

  Places own() const { return Places(vars.begin(), vars.end()); }

  /// `places` with that of `axis` replaced.
  static Places at(Places places, int axis, Expr position) {
    places[axis] = position;
    return places;
  }

  /// What result `vars[axis]` is along `axis`, of what `element` gives for a position.
  Expr resample(int axis, const std::function<Expr(Expr)> &element) {
    const Axis &how = spec.axes[axis];
    Expr result = vars[axis];
    auto add = [](Expr sum, Expr term) { return sum.defined() ? sum + term : term; };
    if (how.kind == Axis::Table) {
      Expr sum;
      for (int tap = 0; tap < how.taps; ++tap) {
        Expr entry = result + tap * how.out;
        Expr position = unsafe_promise_clamped(tables[axis][0](entry), 0, how.in - 1);
        sum = add(sum, spec.moves ? element(position) : tables[axis][1](entry) * element(position));
      }
      return sum;
    }
    std::vector<Expr> phases;
    for (const auto &taps : how.phases) {
      Expr sum;
      for (auto [position, weight] : taps) {
        Expr value = element(result / how.period * how.step + position);
        sum = add(sum, spec.moves || weight == 1.0f ? value : value * weight);
      }
      phases.push_back(sum.defined() ? sum : Internal::make_zero(source.value().type()));
    }
    return phases.size() == 1 ? phases.front() : mux(result % how.period, phases);
  }

  /// The data at `places`, which may lie outside along the resized axes. Only along the last one, where vectors run, is
  /// it worth code of its own for the inside.
  Expr clampedData(Places places) {
    int last = rank - 1;
    for (int axis : resized)
      if (axis != last && spec.axes[axis].kind == Axis::Phases)
        places[axis] = clamp(places[axis], 0, spec.axes[axis].in - 1);
    if (!clamped.defined()) {
      Region bounds(rank, Range());
      if (spec.axes[last].kind == Axis::Phases)
        bounds.front() = Range(0, spec.axes[last].in);
      clamped = BoundaryConditions::repeat_edge(source, bounds);
    }
    return clamped(inner(places));
  }

  /// Loops over periods of `axis`, the results of a period one after the other in the code. Returns the dim of periods.
  Var unrollPeriod(Func &func, int axis) {
    int period = spec.axes[axis].kind == Axis::Phases ? spec.axes[axis].period : 1;
    if (period == 1)
      return vars[axis];
    Var outer("o" + std::to_string(axis)), phase("p" + std::to_string(axis));
    func.split(vars[axis], outer, phase, period).unroll(phase);
    phaseOf[axis] = phase;
    return outer;
  }

  void vectorize(Func &func, Var dim, int extent, TailStrategy tail) {
    int lanes = lanesFor(spec.lanes, extent);
    if (lanes > 1)
      func.vectorize(dim, lanes, tail);
  }

  /// Vectors along the last axis, by its phases where it has some. `extent`: of the dim in `func`.
  void vectorizeColumns(Func &func, int extent, TailStrategy tail) {
    int last = rank - 1;
    const Axis &axis = spec.axes[last];
    if (axis.kind != Axis::Phases || axis.period == 1)
      return vectorize(func, vars[last], extent, tail);
    Var outer("columns"), phase("phase");
    func.split(vars[last], outer, phase, axis.period, tail).reorder(phase, outer).unroll(phase);
    vectorize(func, outer, extent / axis.period, tail);
  }

  /// The data resampled along all axes that are resized but the last `rest` ones.
  Expr resampleOuter(size_t rest) {
    std::function<Expr(size_t, Places)> along = [&](size_t index, Places places) -> Expr {
      if (index + rest == resized.size())
        return clampedData(places);
      int axis = resized[index];
      return resample(axis, [&](Expr position) { return along(index + 1, at(places, axis, position)); });
    };
    return along(0, own());
  }

  /// Copies of rows, summed up over planes where these are resized, with their borders repeated.
  Func borderedRows() {
    Func bordered("bordered");
    bordered(inner(vars)) = resampleOuter(2);
    bordered.store_in(MemoryType::Heap);
    vectorize(bordered, vars[rank - 1], spec.axes[rank - 1].in, TailStrategy::RoundUp);
    return bordered;
  }

  void stretchRowsFirst() {
    int y = rowAxis(), x = resized.back();
    Func bordered = borderedRows();
    Func stretched("stretched");
    stretched(inner(vars)) = resample(x, [&](Expr position) { return bordered(inner(at(own(), x, position))); });
    store(resample(y, [&](Expr position) { return stretched(inner(at(own(), y, position))); }));

    std::vector<VarOrRVar> outside; // of the rows, innermost first
    for (int axis = y - 1; axis >= 0; --axis) {
      Var period = unrollPeriod(out, axis);
      if (phaseOf.count(axis))
        outside.emplace_back(phaseOf.at(axis));
      outside.emplace_back(period);
    }
    Var period = unrollPeriod(out, y);
    if (phaseOf.count(y)) {
      // All phases of some columns, then the next columns.
      int lanes = lanesFor(spec.lanes, columns().out);
      Var column("column"), lane("lane");
      out.split(vars[x], column, lane, lanes, TailStrategy::ShiftInwards);
      std::vector<VarOrRVar> order = {lane, phaseOf.at(y), column};
      for (int axis = rank - 2; axis > y; --axis)
        order.emplace_back(vars[axis]);
      order.emplace_back(period);
      order.insert(order.end(), outside.begin(), outside.end());
      out.reorder(order);
      if (lanes > 1)
        out.vectorize(lane);
    } else {
      vectorize(out, vars[x], columns().out, TailStrategy::ShiftInwards);
    }
    stretched.compute_at(out, period).store_in(MemoryType::Heap);
    outside.empty() ? stretched.store_root() : stretched.store_at(out, outside.front().var);
    vectorizeColumns(stretched, columns().out, TailStrategy::RoundUp);
    bordered.compute_at(stretched, vars[rank - 2]);
  }

  void sumRowsFirst() {
    int last = rank - 1;
    bool isLastResized = resized.back() == last;
    bool isMade = resized.size() >= 2 || (isLastResized && columns().kind == Axis::Phases);
    Func summed("summed");
    if (!isMade) {
      store(resampleOuter(0));
    } else {
      int x = resized.back();
      summed(inner(vars)) = resampleOuter(1);
      store(resample(x, [&](Expr position) { return summed(inner(at(own(), x, position))); }));
    }

    if (isLastResized)
      vectorizeColumns(out, columns().out, TailStrategy::ShiftInwards);
    else
      vectorize(out, vars[last], spec.axes[last].out, TailStrategy::ShiftInwards);
    std::optional<Var> row; // the innermost loop over rows
    for (int axis : resized)
      if (axis != last) {
        Var period = unrollPeriod(out, axis);
        if (axis != resized.back() || resized.size() == 1)
          row = phaseOf.count(axis) ? phaseOf.at(axis) : period;
      }
    if (!isMade)
      return;
    summed.store_in(MemoryType::Heap);
    if (!row && rank > 1)
      row = vars[last - 1];
    row ? summed.compute_at(out, *row) : summed.compute_root();
    vectorize(summed, vars[last], spec.axes[last].in, TailStrategy::RoundUp);
  }

  const Specification spec;
  int rank;
  std::vector<Var> vars; // one per axis
  std::vector<int> resized;
  ImageParam data;
  std::vector<ImageParam> inputs;
  Func source{"source"}, clamped, out;
  std::map<int, std::vector<ImageParam>> tables;
  std::map<int, Var> phaseOf;
  Kernel kernel;
};
} // namespace

Kernel onnx_aot::halide::buildResize(const Specification &spec) { return ResizeBuilder(spec).build(); }
