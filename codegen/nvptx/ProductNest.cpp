//===- ProductNest.cpp - sums of products as a matrix product -----------------------------------------------------===//
//
// See ProductNest.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/ProductNest.h"
#include "dialects/aot/ProductBody.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

std::optional<ProductNest> ProductNest::of(const LoopNest &nest) {
  if (!nest.compute || nest.usesIndex)
    return std::nullopt;
  std::optional<ProductBody> body = ProductBody::of(nest.compute->front());
  if (!body)
    return std::nullopt;
  for (const Access &access : nest.inputs)
    if (access.panelDim >= 0)
      return std::nullopt;
  ProductNest product;
  product.rowInput = body->left;
  product.columnInput = body->right;
  unsigned neighbours = nest.dims.size(); // the dim that neighbours in the result run along
  for (auto [index, dim] : llvm::enumerate(nest.dims)) {
    if (dim.reduction) {
      product.depth.push_back(index);
      continue;
    }
    bool movesLeft = !nest.inputs[product.rowInput].strides[index].is(0);
    bool movesRight = !nest.inputs[product.columnInput].strides[index].is(0);
    (movesLeft == movesRight ? product.batch : movesLeft ? product.rows : product.columns).push_back(index);
    if (nest.output.strides[index].is(1))
      neighbours = index;
  }
  if (product.depth.empty())
    return std::nullopt;
  if (llvm::is_contained(product.rows, neighbours)) {
    std::swap(product.rowInput, product.columnInput);
    std::swap(product.rows, product.columns);
  }
  return product;
}

double onnx_aot::estimateVolume(const LoopNest &nest, ArrayRef<unsigned> dims) {
  double volume = 1;
  for (unsigned dim : dims)
    volume *= double(nest.dims[dim].extent.estimate());
  return volume;
}
