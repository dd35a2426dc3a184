//===- Resize.cpp - resampling along one or two axes --------------------------------------------------------------===//
//
// An axis is resized by phases, whose weights are constants of the code, where results some period apart read alike
// (every scale that is a small fraction); else by a table. The schedules:
//
//   both axes by phases, rows not fewer:  every row of the data is stretched once (its phases are computed on vectors
//                       and stored interleaved); rows of the result are sums of the last few stretched rows, which are
//                       kept in a ring. The vertical phases share what they load.
//   else:               for each row of the result the rows of the data are summed up into one, which is then resized.
//
// Rows that phases read are copied with their borders repeated, so that inner loops need not clamp. Where the last axis
// stays (channels last) vectors run along it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/Families.h"
#include <algorithm>
#include <functional>

using namespace Halide;
using namespace onnx_aot::halide;

namespace {
class ResizeBuilder {
public:
  explicit ResizeBuilder(const Specification &spec)
      : spec(spec), rank(int(spec.axes.size())), data(Float(32), std::max(rank, 1), "data"), out("out") {
    for (int axis = 0; axis < rank; ++axis) {
      vars.emplace_back("axis" + std::to_string(axis));
      if (spec.axes[axis].kind != Axis::Same)
        resized.push_back(axis);
    }
    if (resized.empty() || resized.size() > 2)
      throw Refusal("resizes " + std::to_string(resized.size()) + " axes; 1 or 2 are supported");
    for (const Axis &axis : spec.axes)
      if (axis.kind == Axis::Phases && axis.out % axis.period != 0)
        throw Refusal("an axis by phases has a part of a period");
  }

  Kernel build() {
    describe(data, [](const Axis &axis) { return axis.in; });
    kernel.arguments.push_back(data);
    for (int axis : resized)
      if (spec.axes[axis].kind == Axis::Table)
        for (Type type : {Int(32), Float(32)}) {
          int extent = spec.axes[axis].taps * spec.axes[axis].out;
          tables[axis].push_back(flatParameter(type, extent, "table" + std::to_string(kernel.arguments.size())));
          kernel.arguments.push_back(tables[axis].back());
        }
    bool isLastResized = resized.back() == rank - 1;
    bool isByPhases =
        std::all_of(resized.begin(), resized.end(), [&](int axis) { return spec.axes[axis].kind == Axis::Phases; });
    if (resized.size() == 2 && isLastResized && isByPhases && rows().out >= rows().in)
      stretchRowsFirst();
    else
      sumRowsFirst();
    describe(out.output_buffer(), [](const Axis &axis) { return axis.out; });
    kernel.output = out;
    return kernel;
  }

private:
  using Places = std::vector<Expr>; // one per axis

  const Axis &rows() const { return spec.axes[resized.front()]; }
  const Axis &columns() const { return spec.axes[resized.back()]; }

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
        sum = add(sum, tables[axis][1](entry) * element(position));
      }
      return sum;
    }
    std::vector<Expr> phases;
    for (const auto &taps : how.phases) {
      Expr sum;
      for (auto [position, weight] : taps) {
        Expr value = element(result / how.period * how.step + position);
        sum = add(sum, weight == 1.0f ? value : value * weight);
      }
      phases.push_back(sum.defined() ? sum : Expr(0.0f));
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
      clamped = BoundaryConditions::repeat_edge(data, bounds);
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

  /// A copy of a row with its borders repeated.
  Func borderedRows() {
    Func bordered("bordered");
    bordered(inner(vars)) = clampedData(own());
    bordered.store_in(MemoryType::Heap);
    vectorize(bordered, vars[rank - 1], spec.axes[rank - 1].in, TailStrategy::RoundUp);
    return bordered;
  }

  void stretchRowsFirst() {
    int y = resized.front(), x = resized.back();
    Func bordered = borderedRows();
    Func stretched("stretched");
    stretched(inner(vars)) = resample(x, [&](Expr position) { return bordered(inner(at(own(), x, position))); });
    out(inner(vars)) = resample(y, [&](Expr position) { return stretched(inner(at(own(), y, position))); });

    Var period = unrollPeriod(out, y);
    if (phaseOf.count(y)) {
      // All phases of some columns, then the next columns.
      int lanes = lanesFor(spec.lanes, columns().out);
      Var column("column"), lane("lane");
      out.split(vars[x], column, lane, lanes, TailStrategy::ShiftInwards);
      std::vector<VarOrRVar> order = {lane, phaseOf.at(y), column};
      for (int axis = rank - 2; axis >= 0; --axis)
        order.push_back(axis == y ? period : vars[axis]);
      out.reorder(order);
      if (lanes > 1)
        out.vectorize(lane);
    } else {
      vectorize(out, vars[x], columns().out, TailStrategy::ShiftInwards);
    }
    stretched.compute_at(out, period).store_in(MemoryType::Heap);
    y == 0 ? stretched.store_root() : stretched.store_at(out, vars[y - 1]);
    vectorizeColumns(stretched, columns().out, TailStrategy::RoundUp);
    bordered.compute_at(stretched, vars[rank - 2]);
  }

  void sumRowsFirst() {
    int last = rank - 1, y = resized.front(), x = resized.back();
    bool isLastResized = x == last;
    bool hasRows = resized.size() == 2 || !isLastResized;
    Func summed("summed");
    bool isMade = resized.size() == 2 || (isLastResized && columns().kind == Axis::Phases);
    auto element = [&](int axis) {
      return [this, axis](Expr position) { return clampedData(at(own(), axis, position)); };
    };
    if (!isMade) {
      out(inner(vars)) = resample(x, element(x));
    } else {
      summed(inner(vars)) = resized.size() == 2 ? resample(y, element(y)) : clampedData(own());
      out(inner(vars)) = resample(x, [&](Expr position) { return summed(inner(at(own(), x, position))); });
    }

    if (isLastResized)
      vectorizeColumns(out, columns().out, TailStrategy::ShiftInwards);
    else
      vectorize(out, vars[last], spec.axes[last].out, TailStrategy::ShiftInwards);
    Var row = hasRows ? unrollPeriod(out, y) : rank > 1 ? vars[last - 1] : Var();
    if (resized.size() == 2 && !isLastResized)
      (void)unrollPeriod(out, x);
    if (!isMade)
      return;
    summed.store_in(MemoryType::Heap);
    if (rank == 1)
      summed.compute_root();
    else
      summed.compute_at(out, phaseOf.count(y) && hasRows ? phaseOf.at(y) : row);
    vectorize(summed, vars[last], spec.axes[last].in, TailStrategy::RoundUp);
  }

  const Specification &spec;
  int rank;
  std::vector<Var> vars; // one per axis
  std::vector<int> resized;
  ImageParam data;
  Func clamped, out;
  std::map<int, std::vector<ImageParam>> tables;
  std::map<int, Var> phaseOf;
  Kernel kernel;
};
} // namespace

Kernel onnx_aot::halide::buildResize(const Specification &spec) { return ResizeBuilder(spec).build(); }
