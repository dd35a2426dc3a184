// From text to a module: variables get their memory, functions are decoded.

#include "Decoder.h"

#include <algorithm>

namespace onnx_aot::ptx {
namespace {

std::optional<Fault> initialise(Program &program, const Variable &variable, const Declaration &declaration) {
  Type type = typeNamed(declaration.type);
  size_t width = std::max(1u, bitsOf(type) / 8);
  auto *bytes = reinterpret_cast<std::byte *>(variable.address);
  std::vector<Operand> flat;
  auto flatten = [&](const auto &self, const std::vector<Operand> &values) -> void {
    for (const Operand &value : values)
      value.kind == Operand::Vector ? self(self, value.elements) : flat.push_back(value);
  };
  flatten(flatten, declaration.initialiser);
  if (flat.size() * width > variable.bytes)
    return Fault{"PTX line " + std::to_string(declaration.line) + ": too many initial values"};
  for (size_t index = 0; index < flat.size(); ++index) {
    uint64_t bits = flat[index].bits;
    if (flat[index].kind == Operand::Name) {
      auto found = program.names.find(flat[index].name);
      if (found == program.names.end() || found->second->space == Space::Shared)
        return Fault{"PTX line " + std::to_string(declaration.line) + ": no address is known of '" +
                     std::string(flat[index].name) + "'"};
      bits += found->second->address;
    } else if (flat[index].kind == Operand::Decimal && type == Type::F32) {
      bits = std::bit_cast<uint32_t>(float(std::bit_cast<double>(bits)));
    }
    std::memcpy(bytes + index * width, &bits, std::min<size_t>(width, 8));
  }
  return std::nullopt;
}

std::optional<Fault> declareVariables(Program &program, const ModuleSyntax &syntax) {
  for (const Declaration &declaration : syntax.variables) {
    uint32_t size = 0;
    Variable variable = placeVariable(declaration, size);
    variable.space = declaration.space == "shared"  ? Space::Shared
                     : declaration.space == "const" ? Space::Const
                                                    : Space::Global;
    if (variable.space == Space::Shared) {
      variable.index = program.shared.size();
    } else if (!variable.isExtern) {
      size_t alignment = std::max<uint64_t>(variable.alignment, 16);
      auto memory = std::make_unique<std::byte[]>(variable.bytes + alignment);
      auto begin = reinterpret_cast<uint64_t>(memory.get());
      variable.address = (begin + alignment - 1) / alignment * alignment;
      program.memory.push_back(std::move(memory));
    }
    program.variables.push_back(variable);
    program.names[variable.name] = &program.variables.back();
    if (variable.space == Space::Shared)
      program.shared.push_back(&program.variables.back());
  }
  for (const Declaration &declaration : syntax.variables)
    if (!declaration.initialiser.empty())
      if (auto fault = initialise(program, *program.names.find(declaration.name)->second, declaration))
        return fault;
  return std::nullopt;
}

std::optional<Fault> decodeFunctions(Program &program, const ModuleSyntax &syntax) {
  std::map<std::string, Function *, std::less<>> functions;
  std::vector<const FunctionSyntax *> bodies;
  for (const FunctionSyntax &one : syntax.functions) {
    if (!one.hasBody)
      continue;
    Function &function = program.functions.emplace_back();
    function.name = one.name;
    function.index = bodies.size();
    function.isEntry = one.isEntry;
    function.maxThreads = one.maxThreads;
    functions[function.name] = &function;
    bodies.push_back(&one);
  }
  for (Function &function : program.functions)
    if (auto fault = Decoder(program, function, *bodies[function.index], functions).decode())
      return fault;
  for (const Function &function : program.functions)
    for (const CallSite &call : function.calls)
      if (call.callee && (call.arguments.size() != call.callee->parameters.size() ||
                          call.results.size() > call.callee->results.size()))
        return Fault{"function " + function.name + ": a call of " + call.name + " has the wrong number of arguments"};
  return std::nullopt;
}

} // namespace

Kernel::Kernel(const Program &program, const Function &function) : program(program), function(function) {
  // The shared variables of all functions that it reaches.
  std::set<const Function *> reached;
  std::set<uint32_t> variables;
  std::vector<const Function *> open = {&function};
  while (!open.empty()) {
    const Function *next = open.back();
    open.pop_back();
    if (!reached.insert(next).second)
      continue;
    variables.insert(next->sharedVariables.begin(), next->sharedVariables.end());
    for (const CallSite &call : next->calls)
      if (call.callee)
        open.push_back(call.callee);
  }
  sharedAddresses.resize(program.shared.size());
  for (bool isExtern : {false, true}) // Extern ones are the dynamic memory behind the others.
    for (uint32_t index : variables) {
      const Variable &variable = *program.shared[index];
      if (variable.isExtern != isExtern)
        continue;
      uint32_t offset = (staticShared + variable.alignment - 1) / variable.alignment * variable.alignment;
      sharedAddresses[index] = kSharedBase + offset;
      if (isExtern) // All begin at the same place, aligned for each of them.
        staticShared = std::max(staticShared, offset);
      else
        staticShared = offset + variable.bytes;
    }
  for (uint32_t index : variables)
    if (program.shared[index]->isExtern)
      sharedAddresses[index] = kSharedBase + staticShared;
}

const std::string &Kernel::name() const { return function.name; }
const std::vector<ParameterSlot> &Kernel::parameters() const { return function.parameters; }
uint32_t Kernel::maxThreadsPerBlock() const { return function.maxThreads; }

Module::Module() : program(std::make_unique<Program>()) {}
Module::~Module() = default;

std::variant<std::unique_ptr<Module>, Fault> Module::parse(std::string_view text) {
  std::unique_ptr<Module> module(new Module);
  Program &program = *module->program;
  program.text = text;
  std::string_view rest = program.text;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size());
    program.lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  auto parsed = parseSyntax(program.text);
  if (auto *fault = std::get_if<Fault>(&parsed))
    return *fault;
  const ModuleSyntax &syntax = std::get<ModuleSyntax>(parsed);
  program.version = syntax.version;
  program.target = syntax.target;
  if (auto fault = declareVariables(program, syntax))
    return *fault;
  if (auto fault = decodeFunctions(program, syntax))
    return *fault;
  for (const Function &function : program.functions)
    if (function.isEntry)
      module->kernels.push_back(std::make_unique<Kernel>(program, function));
  return module;
}

const Kernel *Module::find(std::string_view name) const {
  for (const auto &kernel : kernels)
    if (kernel->name() == name)
      return kernel.get();
  return nullptr;
}

std::string_view Module::target() const { return program->target; }
std::pair<unsigned, unsigned> Module::version() const { return program->version; }

std::optional<std::pair<void *, uint64_t>> Module::variable(std::string_view name) const {
  auto found = program->names.find(name);
  if (found == program->names.end() || found->second->space == Space::Shared || !found->second->address)
    return std::nullopt;
  return std::pair(reinterpret_cast<void *>(found->second->address), found->second->bytes);
}

} // namespace onnx_aot::ptx
