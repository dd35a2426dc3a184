//===- MergeKernels.cpp - one function for kernels that differ in constants ---------------------------------------===//
//
// See MergeKernels.h. LLVM's own passes merge functions that are equal (MergeFunctions) or differ in what calls and
// memory accesses refer to (GlobalMergeFunctions); layers of like shape differ in numbers.
//
// 1. Functions are alike if their instructions are, one by one, with operands that are defined at the same place, or
//    constants. Some constants must be equal, because an instruction needs them to be constants (lengths of memcpy) or
//    is much cheaper with them (divisors).
// 2. Positions at which the constants of all functions change in the same way share one parameter.
// 3. Functions join the first one that they are alike to as long as that saves code: each parameter costs an access in
//    the function and, in each call, a number and a store.
//
//   define @conv_0(%x) { fmul %a, 0.5 }   define @conv_1(%x) { fmul %a, 0.25 }   =>   define @conv_0(%x, %c) { fmul %a,
//   %c }
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/MergeKernels.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/GetElementPtrTypeIterator.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include <vector>

using namespace llvm;
using namespace onnx_aot;

namespace {
/// Bytes of code, about: of an instruction, of a parameter's use in the function, of a constant in a call.
constexpr int64_t kInstructionBytes = 3, kUseBytes = 4, kPassBytes = 8;

/// Whether an index of `address` names a field, which has to be a constant.
bool hasStructIndex(const GetElementPtrInst &address) {
  for (auto type = gep_type_begin(address); type != gep_type_end(address); ++type)
    if (type.isStruct())
      return true;
  return false;
}

/// Whether the constant that `use` is may become a parameter.
bool mayBeParameter(const Use &use) {
  auto *user = cast<Instruction>(use.getUser());
  if (use->getType()->isPointerTy()) {
    // What is written through a parameter would be memory that callers do not know of.
    auto *global = dyn_cast<GlobalVariable>(getUnderlyingObject(use));
    if (!global || !global->isConstant())
      return false;
  } else if (!isa<ConstantInt, ConstantFP>(use)) {
    return false;
  }
  if (auto *call = dyn_cast<CallBase>(user))
    return call->isArgOperand(&use) && !isa<MemIntrinsic>(call) &&
           !call->paramHasAttr(call->getArgOperandNo(&use), Attribute::ImmArg);
  if (auto *address = dyn_cast<GetElementPtrInst>(user))
    return !hasStructIndex(*address);
  if (user->isIntDivRem())
    return use.getOperandNo() == 0;
  return isa<BinaryOperator, CmpInst, PHINode, SelectInst, StoreInst, LoadInst, ReturnInst>(user);
}

/// A function with the numbers of what its operands refer to.
class Candidate {
public:
  explicit Candidate(Function &function) : function(&function) {
    for (Argument &argument : function.args())
      numbers.insert({&argument, numbers.size()});
    for (BasicBlock &block : function) {
      numbers.insert({&block, numbers.size()});
      for (Instruction &instruction : block)
        numbers.insert({&instruction, numbers.size()});
    }
    for (Instruction &instruction : instructions(function))
      for (Use &use : instruction.operands())
        if (isa<Constant>(use) && mayBeParameter(use))
          uses.push_back(&use);
  }

  bool isLike(const Candidate &other) const {
    if (function->getFunctionType() != other.function->getFunctionType() ||
        function->getCallingConv() != other.function->getCallingConv() || numbers.size() != other.numbers.size() ||
        uses.size() != other.uses.size() || function->size() != other.function->size() ||
        !function->getAttributes().intersectWith(function->getContext(), other.function->getAttributes()))
      return false;
    return all_of(zip(*function, *other.function), [&](auto pair) {
      auto &[a, b] = pair;
      return a.size() == b.size() &&
             all_of(zip(a, b), [&](auto both) { return areLike(std::get<0>(both), std::get<1>(both), other); });
    });
  }

  Function *function;
  SmallVector<Use *> uses; // of constants that may become parameters
  DenseMap<const Value *, size_t> numbers;

private:
  bool areLike(const Instruction &a, const Instruction &b, const Candidate &other) const {
    if (numbers.lookup(&a) != other.numbers.lookup(&b) || !a.isSameOperationAs(&b))
      return false;
    if (auto *phi = dyn_cast<PHINode>(&a))
      for (auto [left, right] : zip(phi->blocks(), cast<PHINode>(b).blocks()))
        if (numbers.lookup(left) != other.numbers.lookup(right))
          return false;
    return all_of(zip(a.operands(), b.operands()), [&](auto pair) {
      const Use &left = std::get<0>(pair), &right = std::get<1>(pair);
      auto found = numbers.find(left.get());
      if (found != numbers.end()) {
        auto match = other.numbers.find(right.get());
        return match != other.numbers.end() && match->second == found->second;
      }
      return left.get() == right.get() || (isa<Constant>(left) && isa<Constant>(right) && mayBeParameter(left) &&
                                           mayBeParameter(right) && left->getType() == right->getType());
    });
  }
};

/// Constants, one of each function, that become one parameter.
struct Parameter {
  std::vector<Constant *> constants;
  SmallVector<Use *> uses; // in the first function
};

/// Functions that become one.
class Cluster {
public:
  explicit Cluster(Candidate &first) : members{&first} {}

  bool join(Candidate &candidate) {
    if (!members.front()->isLike(candidate))
      return false;
    int64_t before = saved();
    members.push_back(&candidate);
    if (saved() > before)
      return true;
    members.pop_back();
    return false;
  }

  void merge(MergedKernels &names) {
    if (members.size() == 1)
      return;
    std::vector<Parameter> parameters = this->parameters();
    Function &first = *members.front()->function;
    SmallVector<Type *> types(first.getFunctionType()->params());
    for (const Parameter &parameter : parameters)
      types.push_back(parameter.constants.front()->getType());
    Function *merged = Function::Create(FunctionType::get(first.getReturnType(), types, false), first.getLinkage());
    first.getParent()->getFunctionList().insert(first.getIterator(), merged);
    merged->copyAttributesFrom(&first);
    AttributeList attributes = first.getAttributes();
    for (Candidate *member : members)
      attributes = *attributes.intersectWith(first.getContext(), member->function->getAttributes());
    merged->setAttributes(attributes);
    // What was the address of a constant, which nobody counts as memory, may have become an argument.
    merged->setMemoryEffects(merged->getMemoryEffects() | MemoryEffects::argMemOnly(ModRefInfo::Ref));
    for (Candidate *member : drop_begin(members))
      for (auto [kept, gone] : zip(instructions(first), instructions(*member->function)))
        kept.andIRFlags(&gone);
    for (Instruction &instruction : instructions(first))
      instruction.dropUnknownNonDebugMetadata();

    merged->splice(merged->begin(), &first);
    for (auto [from, to] : zip(first.args(), merged->args())) {
      to.takeName(&from);
      from.replaceAllUsesWith(&to);
    }
    for (auto [index, parameter] : enumerate(parameters))
      for (Use *use : parameter.uses)
        use->set(merged->getArg(first.arg_size() + index));
    merged->takeName(&first);
    for (auto [number, member] : enumerate(members)) {
      SmallVector<Value *> constants;
      for (const Parameter &parameter : parameters)
        constants.push_back(parameter.constants[number]);
      if (number > 0)
        names[member->function->getName().str()] = merged->getName().str();
      redirectCalls(*member->function, *merged, constants);
    }
  }

private:
  /// In the order of their first uses.
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> result;
    std::map<std::vector<Constant *>, size_t> numbers;
    for (auto [index, use] : enumerate(members.front()->uses)) {
      std::vector<Constant *> constants;
      for (Candidate *member : members)
        constants.push_back(cast<Constant>(member->uses[index]->get()));
      if (all_equal(constants))
        continue;
      auto [entry, isNew] = numbers.insert({constants, result.size()});
      if (isNew)
        result.push_back({std::move(constants), {}});
      result[entry->second].uses.push_back(use);
    }
    return result;
  }

  int64_t saved() const {
    int64_t uses = 0, passed = 0, count = members.size();
    for (const Parameter &parameter : parameters()) {
      uses += parameter.uses.size();
      ++passed;
    }
    int64_t body = members.front()->function->getInstructionCount() * kInstructionBytes;
    return (count - 1) * body - uses * kUseBytes - count * passed * kPassBytes;
  }

  static void redirectCalls(Function &from, Function &to, ArrayRef<Value *> constants) {
    for (User *user : make_early_inc_range(from.users())) {
      auto *call = cast<CallInst>(user);
      SmallVector<Value *> arguments(call->args());
      append_range(arguments, constants);
      CallInst *replacement = CallInst::Create(to.getFunctionType(), &to, arguments, "", call->getIterator());
      replacement->setCallingConv(call->getCallingConv());
      replacement->setAttributes(call->getAttributes());
      replacement->setTailCallKind(call->getTailCallKind());
      replacement->setDebugLoc(call->getDebugLoc());
      replacement->takeName(call);
      call->replaceAllUsesWith(replacement);
      call->eraseFromParent();
    }
    from.eraseFromParent();
  }

  SmallVector<Candidate *> members;
};

/// Whether all that uses the function are calls of it, which stay as they are when others are merged.
bool isMergeable(Function &function) {
  bool callsOthers = any_of(instructions(function), [](const Instruction &instruction) {
    auto *call = dyn_cast<CallBase>(&instruction);
    return call && call->getCalledFunction() && call->getCalledFunction()->hasLocalLinkage();
  });
  return !callsOthers && function.hasLocalLinkage() && !function.isDeclaration() && !function.isVarArg() &&
         !function.getSubprogram() && all_of(function.uses(), [](const Use &use) {
           auto *call = dyn_cast<CallInst>(use.getUser());
           return call && call->isCallee(&use) && !call->isMustTailCall() && !call->hasOperandBundles();
         });
}
} // namespace

MergedKernels onnx_aot::mergeKernels(Module &module) {
  std::vector<Candidate> candidates;
  for (Function &function : module)
    if (isMergeable(function))
      candidates.emplace_back(function);
  std::vector<Cluster> clusters;
  for (Candidate &candidate : candidates)
    if (none_of(clusters, [&](Cluster &cluster) { return cluster.join(candidate); }))
      clusters.emplace_back(candidate);
  MergedKernels names;
  for (Cluster &cluster : clusters)
    cluster.merge(names);
  return names;
}
