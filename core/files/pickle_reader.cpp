// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/pickle_reader.h"

#include <bit>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/files/byte_cursor.h"
#include "core/files/torch_objects.h"

namespace uad {
namespace {

constexpr std::string_view kOrderedDict = "collections.OrderedDict";

/// The stack machine. Every opcode makes at most one value, so a pickle of n bytes never holds more
/// than n.
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& file_name)
      : in_(bytes, file_name), file_(file_name) {}

  Pickle run() {
    while (true) {
      const auto opcode = in_.number<unsigned char>();
      if (opcode == '.') break;
      if (!constant(opcode) && !container(opcode) && !memo(opcode)) call(opcode);
    }
    pickle_.root = pop();
    pickle_.bytes = in_.position();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { refuse_pickle(file_, what); }
  [[noreturn]] void refuse_code(std::string_view name) const {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Weights file '{}' holds code: {}. Code in files is never run; save "
                            "the weights alone, with torch.save(model.state_dict(), ...).",
                            file_, name));
  }
  [[noreturn]] void refuse_layout() const { refuse("its pickle is damaged"); }

  void push(const PickledValue* value) { stack_.push_back(value); }
  PickledValue* make(PickledValue value) {
    pickle_.values.push_back(std::move(value));
    push(&pickle_.values.back());
    return &pickle_.values.back();
  }
  const PickledValue* pop() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) refuse_layout();
    const PickledValue* top = stack_.back();
    stack_.pop_back();
    return top;
  }
  PickledItems pop_some(std::size_t count) {
    PickledItems items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    return items;
  }
  PickledItems pop_to_mark() {
    if (marks_.empty()) refuse_layout();
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    PickledItems items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  template <class T>
  const T& as(const PickledValue* value) const {
    return pickled<T>(value, file_);
  }
  /// The container on top of the stack. All values live in pickle_.values, which is ours to change.
  template <class T>
  T& top() {
    if (stack_.empty()) refuse_layout();
    return const_cast<T&>(as<T>(stack_.back()));
  }

  bool constant(unsigned char opcode) {
    switch (opcode) {
      case 0x80: {  // PROTO
        const auto version = in_.number<unsigned char>();
        if (version > 5) refuse(fmt::format("its pickle protocol {} is unknown", version));
        return true;
      }
      case 0x95:
        in_.take(8);
        return true;  // FRAME
      case 'N':
        make({std::monostate()});
        return true;
      case 0x88:
        make({true});
        return true;
      case 0x89:
        make({false});
        return true;
      case 'J':
        make({std::int64_t{in_.number<std::int32_t>()}});
        return true;
      case 'K':
        make({std::int64_t{in_.number<std::uint8_t>()}});
        return true;
      case 'M':
        make({std::int64_t{in_.number<std::uint16_t>()}});
        return true;
      case 0x8A:
        make({long_number(in_.number<std::uint8_t>())});
        return true;
      case 'G':
        make({big_endian_double()});
        return true;
      case 'X':
      case 'T':
      case 'B':
        make({text(in_.number<std::uint32_t>())});
        return true;
      case 0x8C:
      case 'U':
      case 'C':
        make({text(in_.number<std::uint8_t>())});
        return true;
      case 0x8D:
        make({text(in_.number<std::uint64_t>())});
        return true;
      default:
        return false;
    }
  }

  bool container(unsigned char opcode) {
    switch (opcode) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case '0':
        (void)pop();
        return true;
      case '1':
        (void)pop_to_mark();
        return true;
      case '}':
        make({PickledDict()});
        return true;
      case ']':
      case ')':
        make({PickledList()});
        return true;
      case 't':
      case 'l':
        make({PickledList{pop_to_mark()}});
        return true;
      case 'd': {
        const PickledItems pairs = pop_to_mark();
        add_pairs(std::get<PickledDict>(make({PickledDict()})->value), pairs);
        return true;
      }
      case 0x85:
      case 0x86:
      case 0x87:  // TUPLE1 to TUPLE3
        make({PickledList{pop_some(opcode - 0x84U)}});
        return true;
      case 'a':
        append(pop_some(1));
        return true;
      case 'e':
        append(pop_to_mark());
        return true;
      case 's':
        set_items(pop_some(2));
        return true;
      case 'u':
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool memo(unsigned char opcode) {
    switch (opcode) {
      case 'q':
        remember(in_.number<std::uint8_t>());
        return true;
      case 'r':
        remember(in_.number<std::uint32_t>());
        return true;
      case 0x94:
        remember(static_cast<std::uint32_t>(memo_.size()));
        return true;  // MEMOIZE
      case 'h':
        recall(in_.number<std::uint8_t>());
        return true;
      case 'j':
        recall(in_.number<std::uint32_t>());
        return true;
      case '2': {
        const PickledValue* value = pop();
        push(value);
        push(value);
        return true;
      }
      default:
        return false;
    }
  }

  void call(unsigned char opcode) {
    switch (opcode) {
      case 'c':
        return name(dotted_name());
      case 0x93: {  // STACK_GLOBAL
        const PickledItems parts = pop_some(2);
        return name(short_text(parts[0], file_) + "." + short_text(parts[1], file_));
      }
      case 'Q':
        return storage(as<PickledList>(pop()).items);
      case 'R': {
        const PickledItems parts = pop_some(2);
        return reduce(as<PickledName>(parts[0]).name, as<PickledList>(parts[1]).items);
      }
      case 'b': {  // BUILD: attributes of an OrderedDict, such as _metadata, hold no weights
        (void)pop();
        (void)top<PickledDict>();
        return;
      }
      case 'i':
        return refuse_code(dotted_name());
      case 'o':
      case 0x81:
      case 0x92:
      case 0x82:
      case 0x83:
      case 0x84:
        return refuse_code("an object of its own class");
      default:
        refuse(fmt::format("its pickle has the unknown opcode 0x{:02x}", opcode));
    }
  }

  std::int64_t long_number(std::size_t count) {
    const std::string_view bytes = in_.take(count);
    if (count > 8) refuse("its pickle holds a number of over 64 bits");
    std::uint64_t value = count > 0 && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return static_cast<std::int64_t>(value);
  }
  double big_endian_double() {
    std::uint64_t bits = 0;
    for (const char byte : in_.take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
  }
  std::string text(std::uint64_t count) { return std::string(in_.take(count)); }

  /// GLOBAL and INST carry two lines: module and name.
  std::string dotted_name() {
    const std::string module(in_.line());
    return module + "." + std::string(in_.line());
  }

  void append(const PickledItems& items) {
    PickledItems& list = top<PickledList>().items;
    list.insert(list.end(), items.begin(), items.end());
  }
  void set_items(const PickledItems& pairs) { add_pairs(top<PickledDict>(), pairs); }
  void add_pairs(PickledDict& dict, const PickledItems& pairs) const {
    if (pairs.size() % 2 != 0) refuse_layout();
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      dict.keys.push_back(pairs[i]);
      dict.values.push_back(pairs[i + 1]);
    }
  }

  void remember(std::uint32_t place) {
    const PickledValue* value = pop();
    push(value);
    memo_[place] = value;
  }
  void recall(std::uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse_layout();
    push(found->second);
  }

  void name(const std::string& name) {
    if (name != kOrderedDict && !is_torch_object(name)) refuse_code(name);
    make({PickledName{name}});
  }

  void storage(const PickledItems& id) {
    const PickledStorage found = torch_storage(id, file_);
    const auto [place, fresh] = pickle_.storages.emplace(found.key, found);
    if (place->second.type != found.type || place->second.values != found.values) {
      refuse(fmt::format("its storage '{}' is described in two ways", found.key));
    }
    make({&std::as_const(place->second)});
  }

  void reduce(std::string_view name, const PickledItems& arguments) {
    if (name == kOrderedDict) return ordered_dict(arguments);
    make({torch_tensor(name, arguments, file_)});
  }

  void ordered_dict(const PickledItems& arguments) {
    PickledDict dict;
    if (!arguments.empty()) {
      // Copies a list that can be recalled: charged against the pickle's length, as all the rest.
      const PickledItems& pairs = as<PickledList>(arguments[0]).items;
      copied_ += pairs.size();
      if (copied_ > in_.position()) refuse_layout();
      for (const PickledValue* pair : pairs) {
        if (as<PickledList>(pair).items.size() != 2) refuse_layout();
        add_pairs(dict, as<PickledList>(pair).items);
      }
    }
    make({std::move(dict)});
  }

  ByteCursor in_;
  const std::string& file_;
  Pickle pickle_;
  std::vector<const PickledValue*> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::size_t copied_ = 0;
  std::unordered_map<std::uint32_t, const PickledValue*> memo_;
};

}  // namespace

Pickle read_pickle(std::string_view bytes, const std::string& file_name) {
  return Machine(bytes, file_name).run();
}

}  // namespace uad
